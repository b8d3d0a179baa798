/**
 * The initrd of the guest: archives one after the other, each unpacked over what the ones before it have left (Linux,
 * init/initramfs.c). The first must be uncompressed and holds the ACPI table alone: the kernel looks for it before it
 * unpacks anything (drivers/acpi/tables.c, acpi_table_upgrade).
 */
import { encodeCpio, foldersOf } from './cpio.ts';
import { initEntries } from './init.ts';
import { vmbusSsdt } from './ssdt.ts';

const TABLE = 'kernel/firmware/acpi/ssdt.aml';

/** What stands before every initrd, also before one of the user's. */
export const acpiArchive = (): Uint8Array =>
  encodeCpio([...foldersOf([TABLE]), { path: TABLE, kind: 'file', mode: 0o644, bytes: vmbusSsdt() }]);

/** @param archives programs and modules, in cpio. */
export const guestInitrd = (...archives: readonly Uint8Array[]): Uint8Array =>
  Buffer.concat([acpiArchive(), encodeCpio(initEntries()), ...archives]);

/** @param initrd the user's own, packed or not. */
export const ownInitrd = (initrd: Uint8Array): Uint8Array => Buffer.concat([acpiArchive(), initrd]);
