import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

/** House rules that no other tool can express. Each names the reason that it is a rule. */

const LINES_MAX = 400;
const root = join(import.meta.dirname, '..');
const edge = ['campaign', 'live', 'vm', 'serve', 'cli'].map((room) => `src/${room}/`);
const self = 'test/tidy.test.ts';

function filesIn(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `${folder}/${file}`)
    .sort();
}

const shipped = [...filesIn('src'), ...filesIn('devices')];
const everything = [...shipped, ...filesIn('test')];
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');
const matching = (files: readonly string[], pattern: RegExp): string[] =>
  files.filter((file) => pattern.test(textOf(file)));

test(`no file is longer than ${LINES_MAX} lines: one that is has two subjects`, () => {
  const long = everything.filter((file) => textOf(file).trimEnd().split('\n').length > LINES_MAX);
  expect(long).toEqual([]);
});

test('nothing below the edge draws random numbers: they are decisions of the strategy', () => {
  const below = shipped.filter((file) => !edge.some((room) => file.startsWith(room)));
  expect(matching(below, /\bMath\.random\b/)).toEqual([]);
});

test('every device is in the catalogue', () => {
  const models = filesIn('devices').filter((file) => file !== 'devices/index.ts');
  const catalogue = models.length > 0 ? textOf('devices/index.ts') : '';
  expect(models.filter((file) => !catalogue.includes(`'./${relative('devices', file)}'`))).toEqual([]);
});

test('nothing is left for later in a comment: open work belongs in an issue', () => {
  const later = /\b(?:TODO|FIXME|XXX)\b/;
  expect(
    matching(
      everything.filter((file) => file !== self),
      later,
    ),
  ).toEqual([]);
});

test('no test is switched off or runs alone', () => {
  expect(matching(filesIn('test'), /\b(?:describe|test|it)(?:\.\w+)*\.(?:only|skip|todo)\b/)).toEqual([]);
});

test('there are two barrels, the package and the catalogue: a reader clicks through to the subject', () => {
  const barrels = everything.flatMap((file) =>
    [...textOf(file).matchAll(/\bfrom '(\.[^']*\/index(?:\.ts)?)'/g)]
      .map((match) => normalize(join(dirname(file), match[1] ?? '')))
      .filter((target) => target !== 'src/index.ts' && target !== 'devices/index.ts')
      .map((target) => `${file}: ${target}`),
  );
  expect(barrels).toEqual([]);
});

describe('no task is made and dropped: without yield* it would silently do nothing', () => {
  test('in our code', () => {
    const config = ts.getParsedCommandLineOfConfigFile(
      join(root, 'tsconfig.json'),
      {},
      {
        ...ts.sys,
        onUnRecoverableConfigFileDiagnostic: (problem) => expect.unreachable(String(problem.messageText)),
      },
    );
    const program = ts.createProgram(config?.fileNames ?? [], config?.options ?? {});
    const ours = program.getSourceFiles().filter((file) => !file.fileName.includes('/node_modules/'));
    expect(ours.length).toBeGreaterThan(0);
    expect(ours.flatMap((file) => droppedTasks(program, file))).toEqual([]);
  });

  test('and the detector finds planted ones', () => {
    const program = programOf(`
      interface Operation<T> { [Symbol.iterator](): Iterator<Operation<unknown>, T> }
      type Task<T = void> = Generator<Operation<unknown>, T>;
      declare const lock: Operation<void>;
      declare function sleep(): Operation<void>;
      function* work(): Task { yield* lock; }
      export function* main(busy: boolean): Task {
        work();
        sleep();
        if (busy) work();
        busy && sleep();
        void work();
        yield* work();
        const later = work();
        new Set([1]).add(2);
        let kept = [later].map((task) => task)[0];
        kept = later;
      }
    `);
    const found = program.getSourceFiles().flatMap((file) => droppedTasks(program, file));
    expect(found.map((place) => place.replace(/^.*?:/, ''))).toEqual([
      '8 work()',
      '9 sleep()',
      '10 work()',
      '11 busy && sleep()',
      '12 void work()',
    ]);
  });
});

/** Statements that are nothing but a task or an operation: `file:line text`. */
function droppedTasks(program: ts.Program, file: ts.SourceFile): string[] {
  if (file.isDeclarationFile) return [];
  const checker = program.getTypeChecker();
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isExpressionStatement(node)) {
      const { expression } = node;
      const value = ts.isVoidExpression(expression) ? expression.expression : expression;
      if (!isAssignment(value) && mustBeYielded(checker.getTypeAtLocation(value))) {
        const line = file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
        found.push(`${relative(root, file.fileName)}:${line} ${expression.getText(file)}`);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

const isAssignment = (node: ts.Expression): boolean =>
  ts.isBinaryExpression(node) &&
  node.operatorToken.kind >= ts.SyntaxKind.FirstAssignment &&
  node.operatorToken.kind <= ts.SyntaxKind.LastAssignment;

function mustBeYielded(type: ts.Type): boolean {
  if (type.isUnion()) return type.types.some(mustBeYielded);
  const names = [type.symbol?.name, type.aliasSymbol?.name];
  if (names.includes('Operation') || names.includes('Task')) return true;
  return ['next', 'return', 'throw'].every((method) => type.getProperty(method) !== undefined);
}

function programOf(text: string): ts.Program {
  const options: ts.CompilerOptions = { target: ts.ScriptTarget.ES2023, strict: true, types: [], noEmit: true };
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile;
  host.getSourceFile = (name, ...rest) =>
    name === 'planted.ts' ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2023) : read(name, ...rest);
  return ts.createProgram(['planted.ts'], options, host);
}
