/** The command that was given, as a shell takes it: a failed run prints it, since the same command gives the same run. */
export function reproduction(argv: readonly string[] = process.argv.slice(2)): string {
  return ['netvsim', ...argv].map(quote).join(' ');
}

const quote = (word: string): string => (/^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
