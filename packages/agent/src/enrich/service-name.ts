/** Programs whose own name says nothing: what they run does. */
const INTERPRETER = /^(node|nodejs|bun|deno|python[\d.]*|ruby[\d.]*|perl|php[\d.]*|java|dotnet)$/;
/** Entry files that every project has: the folder's name says more. */
const ANONYMOUS_FILE = /^(index|main|server|app|start|run|cli|manage|wsgi|asgi|__main__)$/;
const ANONYMOUS_FOLDER = /^(src|dist|build|bin|lib|out|app|target|service|server)$/;
/** Options of interpreters that take the next word: it is not the program. Source: their --help. */
const TAKES_VALUE =
  /^(-r|--require|--import|--loader|--experimental-loader|-C|--conditions|--env-file|-W|-X|-I|-d|-c)$/;
/** Python's: what follows is a module's name. */
const NAMES_MODULE = '-m';
const NAME_LENGTH_MAX = 64;

/**
 * Names the service that a process is, from what every process shows: the name that OpenTelemetry's
 * variable gives it; else, for an interpreter, the program that it runs; else the kernel's name
 * (`comm`). `commandLine` is argv. Never empty unless `comm` is.
 */
export function serviceName(
  comm: string,
  commandLine: readonly string[],
  otelServiceName: string,
): string {
  if (otelServiceName !== '') return otelServiceName.slice(0, NAME_LENGTH_MAX);
  const program = baseName(commandLine[0] ?? '');
  if (!INTERPRETER.test(program)) return baseName(comm).slice(0, NAME_LENGTH_MAX);
  const named = program === 'java' ? javaProgram(commandLine) : scriptProgram(commandLine);
  return (named === '' ? program : named).slice(0, NAME_LENGTH_MAX);
}

function scriptProgram(commandLine: readonly string[]): string {
  const script = scriptOf(commandLine);
  if (script === undefined) return '';
  const parts = script.split('/').filter((part) => part !== '' && part !== '.' && part !== '..');
  const file = (parts.pop() ?? '').replace(/\.[a-z]{1,4}$/, '');
  if (!ANONYMOUS_FILE.test(file)) return file;
  return parts.reverse().find((folder) => !ANONYMOUS_FOLDER.test(folder)) ?? file;
}

function scriptOf(commandLine: readonly string[]): string | undefined {
  for (let at = 1; at < commandLine.length; at += 1) {
    const word = commandLine[at] ?? '';
    if (word === NAMES_MODULE) return commandLine[at + 1]?.replaceAll('.', '/');
    if (TAKES_VALUE.test(word)) at += 1;
    else if (word !== '' && !word.startsWith('-')) return word;
  }
  return undefined;
}

function javaProgram(commandLine: readonly string[]): string {
  const jar = commandLine[commandLine.indexOf('-jar') + 1];
  if (commandLine.includes('-jar') && jar !== undefined) return baseName(jar).replace(/\.jar$/, '');
  const main = commandLine.slice(1).find((word) => /^[\w.$]+$/.test(word));
  return main?.split('.').pop() ?? '';
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
