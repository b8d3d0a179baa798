/** What the search of orders costs: whole runs of a scenario, a toy beside other engines, two workers beside one. */
import { readFileSync } from 'node:fs';
import { exploreWith } from '../../src/campaign/explore.ts';
import { makeStage, VOCABULARY } from '../../src/cli/model.ts';
import { scenarioFile } from '../../src/cli/package-files.ts';
import { crewFor } from '../../src/cli/searched.ts';
import { searchOrders, USUAL_OPTIONS } from '../../src/explore/explore.ts';
import { runJob } from '../../src/explore/job.ts';
import type { Program } from '../../src/explore/program.ts';
import { scenarioProgram } from '../../src/explore/scenario-program.ts';
import { Reduced } from '../../src/explore/strategies/reduced.ts';
import { Uniform } from '../../src/explore/strategies/uniform.ts';
import { loadScenario } from '../../src/scenario/load.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { type Line, median, time } from './measure.ts';
import { drawnByFastCheck, TOY_ORDERS, toy } from './toy.ts';

function plugJoin(): Scenario {
  const file = scenarioFile('vf-plug-join');
  const loaded = loadScenario(readFileSync(file, 'utf8'), file, VOCABULARY, { transport: 'direct' });
  if (!loaded.ok) throw new Error(loaded.error.map(({ message }) => message).join('\n'));
  return loaded.value;
}

/** Searched from its first step on, as if it had no line that says from where. */
const fromTheFirst = (scenario: Scenario): Scenario => ({
  ...scenario,
  steps: scenario.steps.filter(({ body }) => body.kind !== 'orders'),
});

interface Cost {
  readonly nsPerStep: number;
  readonly ordersPerSecond: number;
}

/** Orders until everything that runs once in each has been compiled. */
const WARM_UP = 2000;
const ORDERS = 1000;

function cost(next: () => { readonly steps: number; readonly whole: boolean }): Cost {
  for (let i = 0; i < WARM_UP; i++) next();
  const steps: number[] = [];
  const ordersPerSecond = median(5, () => {
    let [done, whole] = [0, 0];
    const ms = time(() => {
      for (let i = 0; i < ORDERS; i++) {
        const run = next();
        done += run.steps;
        if (run.whole) whole++;
      }
    });
    steps.push((ms * 1e6) / done);
    return (whole / ms) * 1e3;
  });
  return { nsPerStep: steps.sort((a, b) => a - b)[2] as number, ordersPerSecond };
}

function sampling(program: Program): Cost {
  let seed = 1;
  return cost(() => ({ steps: program(new Uniform(seed++)).steps, whole: true }));
}

function reducing(program: Program): Cost {
  let strategy = new Reduced();
  return cost(() => {
    const { steps } = program(strategy);
    const whole = !strategy.cut;
    if (!strategy.advance()) strategy = new Reduced();
    return { steps, whole };
  });
}

function scenarioLines(): Line[] {
  const scenario = plugJoin();
  const program = scenarioProgram(fromTheFirst(scenario), makeStage);
  const [random, reduced] = [sampling(program), reducing(program)];
  const all = searchOrders(scenarioProgram(scenario, makeStage));
  const searched = all.searched?.whole === true ? all.searched.orders : Number.NaN;
  const naive = all.naive ?? Number.NaN;
  return [
    { what: 'vf-plug-join, random: a step of a whole run', figure: random.nsPerStep, unit: 'ns', target: 600 },
    { what: '  orders', figure: random.ordersPerSecond, unit: 'orders/s' },
    { what: 'vf-plug-join, reduced: a step of a whole run', figure: reduced.nsPerStep, unit: 'ns', target: 900 },
    { what: '  orders', figure: reduced.ordersPerSecond, unit: 'orders/s' },
    { what: 'all orders of vf-plug-join from its line on', figure: searched, unit: 'orders' },
    { what: '  the logarithm to base 10 of those that plain search has', figure: naive, unit: '' },
    { what: '  reduction, as a logarithm too', figure: naive - Math.log10(searched), unit: '' },
  ];
}

function goThrough(reduction: 'none' | 'races'): number {
  const strategy = new Reduced({ reduction });
  let orders = 0;
  do {
    toy(strategy);
    if (!strategy.cut) orders++;
  } while (strategy.advance());
  return orders;
}

const TOY_SAMPLES = 20_000;

async function toyLines(): Promise<Line[]> {
  const job = { kind: 'sample', samplers: ['random'], seed: 1, first: 0, length: 13, depth: 3 } as const;
  const sample = (): number => time(() => runJob(toy, { ...job, count: TOY_SAMPLES }));
  sample();
  const ours = (TOY_SAMPLES / median(5, sample)) * 1e3;
  await drawnByFastCheck(2000);
  const rates: number[] = [];
  for (let i = 0; i < 3; i++) {
    const begun = performance.now();
    await drawnByFastCheck(TOY_SAMPLES);
    rates.push((TOY_SAMPLES / (performance.now() - begun)) * 1e3);
  }
  const theirs = rates.sort((a, b) => a - b)[1] as number;
  const orders = goThrough('none');
  if (orders !== TOY_ORDERS) throw new Error(`${orders} orders of the toy in the place of ${TOY_ORDERS}`);
  return [
    { what: 'the toy of 13 steps, sampled', figure: ours, unit: 'orders/s' },
    { what: "  under fast-check's scheduler", figure: theirs, unit: 'orders/s' },
    { what: '  ratio', figure: ours / theirs, unit: 'x', target: 20, atLeast: true },
    {
      what: `  all ${TOY_ORDERS.toLocaleString('en')} orders, plainly`,
      figure: median(5, () => time(() => goThrough('none'))),
      unit: 'ms',
      target: 1000,
    },
    { what: '  reduced to', figure: goThrough('races'), unit: 'orders' },
    { what: '  in', figure: median(5, () => time(() => goThrough('races'))), unit: 'ms' },
  ];
}

/** Each worker compiles for itself, which takes some four seconds of a processor: it is done in a first search. */
const CREW_SAMPLES = 8000;

async function sampledBy(jobs: number): Promise<number> {
  const crew = crewFor([{ scenario: fromTheFirst(plugJoin()) }], jobs);
  try {
    const options = { ...USUAL_OPTIONS, strategy: 'random', samples: CREW_SAMPLES } as const;
    await exploreWith(crew, 0, options);
    const begun = performance.now();
    const { sampled } = await exploreWith(crew, 0, { ...options, seed: 2 });
    return (sampled / (performance.now() - begun)) * 1e3;
  } finally {
    await crew.close();
  }
}

async function crewLines(): Promise<Line[]> {
  const [one, two] = [await sampledBy(1), await sampledBy(2)];
  return [
    { what: 'vf-plug-join sampled by one worker', figure: one, unit: 'orders/s' },
    { what: '  by two', figure: two, unit: 'orders/s' },
    { what: '  ratio', figure: two / one, unit: 'x', target: 1.6, atLeast: true },
  ];
}

export async function searchLines(): Promise<Line[]> {
  return [...scenarioLines(), ...(await toyLines()), ...(await crewLines())];
}
