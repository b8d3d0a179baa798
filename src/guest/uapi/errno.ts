/**
 * Error numbers that user mode gets. They go by their names here, which all guests share; the figures are Linux's
 * (uapi/asm-generic/errno-base.h, errno.h).
 */
const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  EAGAIN: 11,
  ENOMEM: 12,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ENFILE: 23,
  ENOSPC: 28,
  EMLINK: 31,
  EDOM: 33,
  ENAMETOOLONG: 36,
  EPROTO: 71,
  EOPNOTSUPP: 95,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENETDOWN: 100,
  ENOBUFS: 105,
  ETIMEDOUT: 110,
  EDQUOT: 122,
} as const;

export type Errno = keyof typeof ERRNO;

export const isErrno = (name: string): name is Errno => Object.hasOwn(ERRNO, name);

export const ERRNO_NAMES: readonly string[] = Object.keys(ERRNO);

/** As kernel logs have it: -16 for EBUSY. */
export const inLog = (errno: Errno): number => -ERRNO[errno];
