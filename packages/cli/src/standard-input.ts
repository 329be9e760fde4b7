import { CliError } from './cli-error.ts';

/** All of stdin. Throws `CliError` when it is more than `bytesMax`. */
export async function standardInput(bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > bytesMax) {
      throw new CliError('bad_input', `stdin has more than ${bytesMax} bytes`, 'give it in parts');
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
