/** `netvsim trace`: trace files for people, and compared. */
import type { Command } from 'commander';
import { diffTraces } from '../report/diff.ts';
import { traceAsJson } from '../report/json.ts';
import { formatTimeline } from '../report/timeline.ts';
import { decodeTrace, type Trace } from '../trace/codec.ts';
import { TRACE_SCHEMA } from '../trace/schema.ts';
import { EXIT, InputError } from './input-error.ts';
import { readBytes } from './read-file.ts';
import { print, wantsColour } from './terminal.ts';

interface TraceFlags {
  readonly json?: true;
  readonly schema?: true;
  readonly verbose?: true;
}

export function addTrace(program: Command, end: (exit: number) => void): void {
  const trace = program
    .command('trace')
    .description('show a trace file, or compare two')
    .argument('[file]', 'a trace file (netvsim run --trace)')
    .option('--json', 'every event as JSON')
    .option('--verbose', 'show set-up and traffic too')
    .option('--schema', 'print the protobuf schema of trace files')
    .addHelpText(
      'after',
      '\nExamples:\n  netvsim trace my.trace\n  netvsim trace diff good.trace bad.trace   # exits 1',
    )
    .action((file: string | undefined, flags: TraceFlags) => show(file, flags));
  trace
    .command('diff')
    .description('the first difference of two traces; ends with 1 when there is one')
    .argument('<a>')
    .argument('<b>')
    .addHelpText('after', '\nExamples:\n  netvsim trace diff good.trace bad.trace   # exits 1')
    .action((a: string, b: string) => end(diff(a, b)));
}

function loadTrace(file: string): Trace {
  const decoded = decodeTrace(readBytes(file));
  if (!decoded.ok) throw new InputError(`${file}: ${decoded.error}`);
  return decoded.value;
}

function show(file: string | undefined, flags: TraceFlags): void {
  if (flags.schema === true) {
    print(TRACE_SCHEMA);
    return;
  }
  if (file === undefined) throw new InputError('trace needs a file, or --schema');
  const trace = loadTrace(file);
  if (flags.json === true) {
    print(traceAsJson(trace));
    return;
  }
  const { scenario, guest, transport, schedule, netvsim } = trace.header;
  const order = schedule === '' ? 'default order' : `order of ${schedule}`;
  print(`${scenario} (${guest}, ${transport}, ${order}, netvsim ${netvsim}, ${trace.events.length} events)\n\n`);
  print(formatTimeline(trace.events, { colour: wantsColour(), verbose: flags.verbose === true }));
}

function diff(a: string, b: string): number {
  const left = { name: a, trace: loadTrace(a) };
  const right = { name: b, trace: loadTrace(b) };
  const difference = diffTraces(left, right);
  print(difference?.text ?? `the same: ${left.trace.events.length} events\n`);
  return difference === undefined ? EXIT.held : EXIT.failed;
}
