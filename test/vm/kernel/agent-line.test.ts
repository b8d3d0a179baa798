import { expect, test } from 'vitest';
import { type AgentAnswer, AgentReader, agentLine } from '../../../src/vm/kernel/agent-line.ts';

const SAID = '\u001eready\nhello\nworld\n\u001e1 0\n\u001e2 127\nno line end\u001e3 130\n';
const MEANT: readonly AgentAnswer[] = [
  { kind: 'ready' },
  { kind: 'done', sequence: 1, output: 'hello\nworld\n', exit: 0 },
  { kind: 'done', sequence: 2, output: '', exit: 127 },
  { kind: 'done', sequence: 3, output: 'no line end', exit: 130 },
];

test.each([1, 2, 7, 1000])('answers are the same in pieces of %i characters', (size) => {
  const reader = new AgentReader();
  const answers: AgentAnswer[] = [];
  for (let at = 0; at < SAID.length; at += size) answers.push(...reader.push(SAID.slice(at, at + size)));
  expect(answers).toEqual(MEANT);
  expect(reader.pending).toBe('');
});

test('what a command has printed so far can be seen', () => {
  const reader = new AgentReader();
  expect(reader.push('\u001eready\nhalf a li')).toEqual([{ kind: 'ready' }]);
  expect(reader.pending).toBe('half a li');
});

test('a command is a line of printable characters, as long as the guest keeps one', () => {
  expect(agentLine(7, 'ip -o link')).toBe('7 ip -o link\n');
  expect(agentLine(7, 'echo "käse"')).toBe('7 echo "käse"\n');
  expect(agentLine(7, 'two\nlines')).toBeUndefined();
  expect(agentLine(7, 'a \u0003 control')).toBeUndefined();
  expect(agentLine(7, 'x'.repeat(4092))).toHaveLength(4095);
  expect(agentLine(7, 'x'.repeat(4093))).toBeUndefined();
});
