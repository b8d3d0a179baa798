import { describe, expect, test } from 'vitest';
import { syntheticModels, vfModels } from '../../devices/index.ts';
import { ms, seconds } from '../../src/base/time.ts';

/** Slower than any driver or host that anybody has told of; a longer span is a slip of a unit. */
const LONGEST = seconds(10);

test('no two models have one name', () => {
  const names = [...vfModels, ...syntheticModels].map((model) => model.name);
  expect(new Set(names).size).toBe(names.length);
});

test('no two VFs have one PCI id: the driver table tells them apart by it', () => {
  const ids = vfModels.map(({ pci }) => `${pci.vendor.toString(16)}:${pci.device.toString(16)}`);
  expect(new Set(ids).size).toBe(ids.length);
});

describe.each(vfModels)('VF $name', (model) => {
  test('says what it is in one line, and where its numbers come from', () => {
    expect(model.summary).toMatch(/^\S[^\n]{8,78}\S$/);
    expect(model.sources.length).toBeGreaterThan(0);
  });

  test('has PCI numbers that config space can hold', () => {
    expect(model.pci.revision).toBeGreaterThanOrEqual(0);
    expect(model.pci.revision).toBeLessThanOrEqual(0xff);
    expect(model.pci.barSizes.length).toBeGreaterThan(0);
  });

  test('has between one MSI-X vector and what a table can hold (PCI 3.0, 6.8.2: 2048)', () => {
    expect(model.msixVectors).toBeGreaterThanOrEqual(1);
    expect(model.msixVectors).toBeLessThanOrEqual(2048);
  });

  test('can follow a synthetic NIC that is set to the usual MTU', () => {
    expect(model.mtu.min).toBeLessThanOrEqual(1500);
    expect(model.mtu.max).toBeGreaterThanOrEqual(1500);
  });

  test.each(Object.entries(model.timing))('timing.%s is a plausible span', (_what, span) => {
    expect(span).toBeLessThanOrEqual(LONGEST);
  });
});

describe.each(syntheticModels)('synthetic NIC $name', (model) => {
  test('says what it is in one line, and where its numbers come from', () => {
    expect(model.summary).toMatch(/^\S[^\n]{8,78}\S$/);
    expect(model.sources.length).toBeGreaterThan(0);
  });

  test('speaks versions that can have a VF: NVSP 5 and vPCI 1.1 at least', () => {
    expect(model.versions.nvsp).toBeGreaterThanOrEqual(0x5_0000);
    expect(model.versions.vpci).toBeGreaterThanOrEqual(0x1_0001);
    expect(model.versions.vmbus).toBeGreaterThanOrEqual(0x2_0004);
  });

  test('has receive sections that the guest accepts (68 bytes at least) and that hold a frame', () => {
    expect(model.receiveBuffer.sectionBytes).toBeGreaterThanOrEqual(1514);
    expect(model.sendBuffer.sectionBytes).toBeGreaterThanOrEqual(1514);
  });

  test('has a link speed and an MTU', () => {
    expect(model.linkSpeed100bps).toBeGreaterThan(0);
    expect(model.mtuMax).toBeGreaterThanOrEqual(1500);
  });

  test.each(Object.entries(model.timing))('timing.%s is a plausible span', (_what, span) => {
    expect(span).toBeGreaterThanOrEqual(ms(0));
    expect(span).toBeLessThanOrEqual(LONGEST);
  });
});
