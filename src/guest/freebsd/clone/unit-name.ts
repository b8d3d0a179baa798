/** Names of cloned interfaces: what a kind is called, and a number. Source: net/if_clone.c (ifc_name2unit(), ifc_simple_match()). */
import { err, ok, type Result } from '../../../base/result.ts';
import type { Errno } from '../../uapi/errno.ts';

/** The largest int: what is above it is no unit. */
const INT_MAX = 0x7fff_ffff;

/**
 * The number behind the first letters; undefined when there is none (a wildcard). EINVAL when it begins with a zero that
 * is not all of it, when something stands behind it, or when it is too large.
 */
export function unitOfName(name: string): Result<number | undefined, Errno> {
  const from = name.search(/\d/);
  if (from === -1) return ok(undefined);
  const digits = name.slice(from);
  if (!/^(0|[1-9]\d*)$/.test(digits) || Number(digits) > INT_MAX) return err('EINVAL');
  return ok(Number(digits));
}

/** ifc_simple_match(): the kind's name and then nothing but digits, if anything. */
export function isSimpleName(kind: string, name: string): boolean {
  return name.startsWith(kind) && /^\d*$/.test(name.slice(kind.length));
}
