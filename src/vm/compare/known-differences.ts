/**
 * Differences between the modelled guest and the real kernel that are known: a file of patterns, each with its reason and
 * its source. A pattern is a regular expression for the whole of a line, in which `<nic>` and `<vf>` stand for the
 * synthetic NIC of the channel and its VF.
 */
import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { err, ok, type Result } from '../../base/result.ts';
import { vfOf } from '../../host/plan.ts';
import type { Difference, Explanation } from '../../report/compare.ts';
import { formatProblem } from '../../scenario/problem.ts';
import type { Aligned } from './align.ts';
import { CHANNELS, type Channel } from './observe.ts';

const pattern = z.string().superRefine((text, context) => {
  try {
    new RegExp(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
  }
});

const ENTRY = z
  .strictObject({
    id: z.string().regex(/^[a-z][a-z0-9-]*$/, 'must be lower case, digits and dashes'),
    channel: z.enum(CHANNELS),
    model: pattern.optional().describe('What only the model has; with `real`, what it has in the place of that'),
    real: pattern.optional().describe('What only the real kernel has; with `model`, what it has in the place of that'),
    moved: pattern.optional().describe('What both have, and not at the same place'),
    observer: z.string().optional().describe('Only where the scenario has this one in `user`'),
    nics: z.int().min(2).optional().describe('Only where the scenario has so many NICs at least'),
    reason: z.string().min(1),
    source: z.string().min(1),
  })
  .refine(
    ({ model, real, moved }) => (moved === undefined) === (model !== undefined || real !== undefined),
    'has either `moved`, or `model` or `real` or both',
  );

const FILE = z.array(ENTRY);

type Entry = z.infer<typeof ENTRY>;

export class KnownDifferences {
  private readonly entries: readonly Entry[];

  private constructor(entries: readonly Entry[]) {
    this.entries = entries;
  }

  /** Errors: what is wrong with the file, a line each. */
  static parse(text: string, file: string): Result<KnownDifferences, readonly string[]> {
    const lines = new LineCounter();
    const document = parseDocument(text, { lineCounter: lines });
    const [first] = document.errors;
    if (first !== undefined) {
      const { line } = lines.linePos(first.pos[0]);
      return err([formatProblem({ file, line, message: first.message.split('\n')[0] ?? '' })]);
    }
    const read = FILE.safeParse(document.toJS() ?? []);
    if (read.success) return ok(new KnownDifferences(read.data));
    return err(
      read.error.issues.map(({ path, message }) => {
        const line = lineOf(document, path.map(String), lines);
        return formatProblem({ file, line, message: `${path.join('.')}: ${message}` });
      }),
    );
  }

  /** Their names, each once. */
  get ids(): readonly string[] {
    return [...new Set(this.entries.map(({ id }) => id))];
  }

  /** Those for one place of a scenario. */
  at({ nic, channel, user, nics }: Place): KnownHere {
    const here = this.entries.filter(
      (entry) =>
        entry.channel === channel &&
        (entry.observer === undefined || user.includes(entry.observer)) &&
        (entry.nics ?? 1) <= nics,
    );
    return new KnownHere(here, nic);
  }
}

/** Of the innermost thing on the way there that exists. */
function lineOf(document: Document, path: readonly string[], lines: LineCounter): number | undefined {
  const node = path.length === 0 ? document.contents : document.getIn(path, true);
  if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  return path.length === 0 ? undefined : lineOf(document, path.slice(0, -1), lines);
}

export interface Place {
  readonly nic: string;
  readonly channel: Channel;
  /** The scenario's observers. */
  readonly user: readonly string[];
  /** How many NICs it has. */
  readonly nics: number;
}

export class KnownHere {
  private readonly all: readonly Known[];

  constructor(entries: readonly Entry[], nic: string) {
    const whole = (pattern: string | undefined): RegExp | undefined =>
      pattern === undefined ? undefined : wholeLine(pattern, nic);
    this.all = entries.map(({ id, reason, source, model, real, moved }) => ({
      explanation: { id, reason, source },
      model: whole(model),
      real: whole(real),
      moved: whole(moved),
    }));
  }

  /** Whether a line of the real kernel is known to stand for that one of the model. */
  stands(model: string, real: string): boolean {
    return this.find({ kind: 'changed', model, real }) !== undefined;
  }

  explain(row: Exclude<Aligned, { readonly kind: 'same' }>): Difference {
    return { ...row, explained: this.find(row)?.explanation };
  }

  private find(row: Exclude<Aligned, { readonly kind: 'same' }>): Known | undefined {
    switch (row.kind) {
      case 'moved':
        return this.all.find(({ moved }) => moved?.test(row.text));
      case 'changed':
        return this.all.find(({ model, real }) => model?.test(row.model) && real?.test(row.real));
      case 'model':
        return this.all.find(({ model, real }) => real === undefined && model?.test(row.text));
      case 'real':
        return this.all.find(({ model, real }) => model === undefined && real?.test(row.text));
    }
  }
}

interface Known {
  readonly explanation: Explanation;
  readonly model: RegExp | undefined;
  readonly real: RegExp | undefined;
  readonly moved: RegExp | undefined;
}

const literal = (text: string): string => text.replaceAll(/[^\w]/g, '\\$&');

const wholeLine = (pattern: string, nic: string): RegExp =>
  new RegExp(`^(?:${pattern.replaceAll('<vf>', literal(vfOf(nic))).replaceAll('<nic>', literal(nic))})$`);
