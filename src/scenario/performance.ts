/** A scenario's steps, carried out one after the other in a context of their own. */
import { assert } from '../base/assert.ts';
import { formatDuration, type Nanoseconds } from '../base/time.ts';
import type { Context } from '../sim/context.ts';
import type { Task } from '../sim/operation.ts';
import { type Refusal, Reply } from './reply.ts';
import type { Scenario } from './scenario.ts';
import type { Answer, Stage } from './stage.ts';
import type { Step } from './step.ts';
import type { StepBody } from './step-body.ts';
import type { Failure } from './verdict.ts';

export class Performance {
  /** What a step found wrong; the steps behind it are not done. */
  readonly failures: Failure[] = [];
  /** When the step at hand ought to be over. */
  due: Nanoseconds = 0;
  /** The step at hand, for reports. */
  doing = 'the loading of the modules';
  line: number | undefined;
  private readonly scenario: Scenario;
  private readonly stage: Stage;
  private readonly flows = new Set<string>();
  /** Of the last command in the guest. */
  private reply: Reply | undefined;
  private readonly context: Context;

  constructor(scenario: Scenario, stage: Stage) {
    this.scenario = scenario;
    this.stage = stage;
    this.context = stage.sim.spawn('scenario', 'scenario', this.play());
  }

  get over(): boolean {
    return this.context.ended;
  }

  private *play(): Task {
    const { sim } = this.stage;
    if (this.stage.booted !== undefined) yield* this.stage.booted();
    let begun = sim.now;
    for (const step of this.scenario.steps) {
      const at = startOf(step, begun, sim.now);
      const limit = step.when.at === 'within' ? step.when.limit : 0;
      this.due = at + limit;
      this.line = step.line;
      this.doing = step.text;
      if (at > sim.now) yield* sim.sleep(at - sim.now, `the time of line ${step.line}`);
      begun = sim.now;
      sim.trace.emit({ kind: 'scenario.step', line: step.line, text: step.text });
      if (!(yield* this.carryOut(step, limit))) break;
    }
    this.doing = 'the end of the flows';
    for (const flow of this.flows) yield* this.stage.stopFlow(flow);
  }

  /** False when the step failed. */
  private *carryOut(step: Step, limit: Nanoseconds): Task<boolean> {
    const { body } = step;
    const within = step.when.at === 'within';
    if (body.kind === 'expect') {
      const { question } = body;
      return yield* this.expect(step, limit, within ? this.stage.until(question, limit) : this.stage.ask(question));
    }
    if (body.kind === 'expect-errno') {
      assert(this.reply !== undefined, 'nobody asks for an errno without a line of the guest above');
      return yield* this.expect(step, limit, this.reply.is(body.errno, limit));
    }
    if (body.kind !== 'guest') return yield* this.check(step, this.act(body));
    this.reply = new Reply(this.stage.sim);
    const command = this.check(step, this.act(body), this.reply);
    if (body.meanwhile !== true) return yield* command;
    this.stage.sim.spawn(step.text, 'guest', command);
    return true;
  }

  private *check(step: Step, act: Task<Refusal>, reply?: Reply): Task<boolean> {
    const refusal = yield* act;
    reply?.give(refusal);
    if (step.body.kind === 'guest' && step.body.mayFail === true) return true;
    if (refusal !== undefined) this.fail('step', step, `refused: ${refusal.refused}`);
    return refusal === undefined;
  }

  private *act(body: Exclude<StepBody, { kind: 'expect' | 'expect-errno' }>): Task<Refusal> {
    switch (body.kind) {
      case 'host':
        return yield* this.stage.host(body.action);
      case 'guest':
        return yield* this.stage.guest(body.command);
      case 'fail-call':
        if (this.stage.failCall === undefined) return { refused: 'no call of this guest can be made to fail' };
        return yield* this.stage.failCall(body.fault);
      case 'start-flow': {
        const refusal = yield* this.stage.startFlow(body.flow);
        if (refusal === undefined) this.flows.add(body.flow.name);
        return refusal;
      }
      case 'stop-flow':
        this.flows.delete(body.flow);
        return yield* this.stage.stopFlow(body.flow);
      case 'orders':
        this.stage.sim.strategy.scope?.(body.all);
        return undefined;
    }
  }

  private *expect(step: Step, limit: Nanoseconds, question: Task<Answer>): Task<boolean> {
    const { sim } = this.stage;
    const begun = sim.now;
    const { holds: held, found } = yield* question;
    sim.trace.emit({ kind: 'scenario.expect', line: step.line, text: step.text, held, found });
    const waited = Math.min(limit, sim.now - begun);
    if (!held) this.fail('expectation', step, `found ${found}${waited > 0 ? ` after ${formatDuration(waited)}` : ''}`);
    return held;
  }

  private fail(kind: Failure['kind'], step: Step, found: string): void {
    const { now: at, steps } = this.stage.sim;
    this.failures.push({ kind, line: step.line, what: step.text, found, at, step: steps });
  }
}

function startOf(step: Step, begun: Nanoseconds, now: Nanoseconds): Nanoseconds {
  switch (step.when.at) {
    case 'after':
      return Math.max(now, begun + step.when.span);
    case 'moment':
      return Math.max(now, step.when.moment);
    case 'within':
      return now;
  }
}
