import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';

/** Where Debian puts programs; those of services are not on everybody's PATH. */
const FOLDERS = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'];
const JVMS = '/usr/lib/jvm';

/** Why a case cannot run here, with what would change that; undefined when it can. */
export type Missing = () => string | undefined;

export function needsCommand(command: string, debianPackage: string): Missing {
  return () =>
    findCommand(command) === undefined
      ? `${command} is not installed; fix: apt install ${debianPackage}`
      : undefined;
}

export function findCommand(command: string): string | undefined {
  return FOLDERS.map((folder) => `${folder}/${command}`).find((path) => existsSync(path));
}

/** The java command of the newest JDK, and its version; undefined where there is none. */
export function newestJava(): { readonly command: string; readonly version: number } | undefined {
  const inFolders = existsSync(JVMS)
    ? readdirSync(JVMS).map((name) => `${JVMS}/${name}/bin/java`)
    : [];
  const onPath = findCommand('java');
  const found = [...inFolders, ...(onPath === undefined ? [] : [onPath])]
    .filter((command) => existsSync(command) && existsSync(command.replace(/java$/, 'javac')))
    .map((command) => ({ command, version: javaVersion(command) }));
  return found.sort((one, other) => other.version - one.version)[0];
}

function javaVersion(command: string): number {
  const { stderr } = spawnSync(command, ['-version'], { encoding: 'utf8' });
  return Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0);
}

export function needsJava(versionMin: number): Missing {
  return () => {
    const java = newestJava();
    if (java === undefined) return 'no JDK is installed; fix: apt install openjdk-17-jdk-headless';
    return java.version < versionMin
      ? `the newest JDK here is ${java.version}, this needs ${versionMin}`
      : undefined;
  };
}
