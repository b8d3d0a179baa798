import { expect, test } from 'vitest';
import { fnv1a } from '../../src/base/fnv.ts';

// Test vectors of draft-eastlake-fnv, appendix C.
test.each([
  ['', 'cbf29ce484222325'],
  ['a', 'af63dc4c8601ec8c'],
  ['foobar', '85944171f73967e8'],
])('%j', (text, hash) => {
  expect(fnv1a(text)).toBe(hash);
});

test('what looks like nearly the same is another text', () => {
  expect(fnv1a('netvsc_probe*7')).not.toBe(fnv1a('netvsc_probe*8'));
  expect(fnv1a('é')).toMatch(/^[0-9a-f]{16}$/);
});
