import { newRandomId, type TenantId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import { SeededRandom } from '../../builders/seeded-random.ts';
import { isLost, SimulatedAgent } from './agent.ts';
import { Appliance } from './appliance.ts';
import { actHostilely } from './hostile-acts.ts';
import { expectInvariants, expectSwept } from './invariants.ts';
import { TenantModel } from './model.ts';
import * as upkeep from './upkeep-acts.ts';

const TENANTS = 2;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const SHORT_MS = [MINUTE_MS, 5 * MINUTE_MS, 20 * MINUTE_MS];
/** Over the grace of what is condemned, over lock and undo time. */
const LONG_MS = [26 * HOUR_MS, LIMITS.condemnedGraceMs + HOUR_MS, 8 * DAY_MS, 15 * DAY_MS];
const WALL_STEPS_MS = [-400 * DAY_MS, -3 * DAY_MS, 3 * DAY_MS, 400 * DAY_MS];
/** Named points that the process passes before a planned crash: some acts have fewer, and nothing happens. */
const CRASH_POINTS_MAX = 8;
/** Steps between two looks at everything, for what is expensive. */
const LOOK_EVERY = 4;

type Act = () => Promise<string> | string;

/** Agents, upkeep, attackers, crashes and clocks, as a seed has it; what happened is told step by step. */
export class Simulation {
  readonly steps: string[] = [];
  private readonly random: SeededRandom;
  private readonly appliance: Appliance;
  private readonly tenants: TenantModel[] = [];
  private readonly agents: SimulatedAgent[] = [];

  private constructor(seed: number, appliance: Appliance) {
    this.random = new SeededRandom(`simulation ${seed}`);
    this.appliance = appliance;
  }

  /** @throws what an invariant says, with the steps up to then in `steps` of `tell` */
  static async run(seed: number, count: number, tell: (steps: readonly string[]) => void): Promise<void> {
    const simulation = new Simulation(seed, await Appliance.start());
    try {
      await simulation.furnish();
      for (let step = 0; step < count; step++) await simulation.step(step);
      await simulation.end();
    } finally {
      tell(simulation.steps);
      await simulation.appliance.remove();
    }
  }

  private async furnish(): Promise<void> {
    for (let index = 0; index < TENANTS; index++) {
      const tenant = await TenantModel.make(this.appliance, newRandomId<TenantId>());
      this.tenants.push(tenant);
      const [first, second] = tenant.devices;
      for (const device of [first, first, second]) {
        if (device === undefined) continue;
        this.agents.push(new SimulatedAgent(tenant, device, this.random));
      }
    }
  }

  private async step(step: number): Promise<void> {
    if (this.random.chance(0.25)) this.passTime();
    const tenant = this.random.chance(0.7) ? this.tenants[0] : this.tenants[1];
    if (tenant === undefined) return;
    const acts = [this.pickAct(tenant)];
    if (this.random.chance(0.3)) acts.push(() => upkeep.collect(tenant));
    else if (this.random.chance(0.2)) acts.push(() => upkeep.runRules(tenant));
    if (this.random.chance(0.25)) this.planCrash(acts.length === 1);
    await this.runTogether(acts);
    this.appliance.cancelCrash();
    if (this.appliance.crashedAt !== null)
      this.steps.push(await this.restart(`crashed at ${this.appliance.crashedAt}`));
    await this.look(tenant, step % LOOK_EVERY === 0);
  }

  /** What is drawn together runs together; every act is over before the next step. */
  private async runTogether(acts: readonly Act[]): Promise<void> {
    const { starts } = this.appliance;
    const outcomes = await Promise.allSettled(acts.map(async (act) => act()));
    const hasEnded = this.appliance.crashedAt !== null || this.appliance.starts > starts;
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') this.steps.push(outcome.value);
      else if (isLost(outcome.reason) && hasEnded) this.steps.push('no answer');
      else throw outcome.reason;
    }
  }

  private planCrash(isAlone: boolean): void {
    const kind = isAlone && this.random.chance(0.7) ? 'killed' : 'closed';
    const points = this.random.between(1, CRASH_POINTS_MAX);
    this.steps.push(`will be ${kind} at point ${points}`);
    this.appliance.planCrash(kind, points);
  }

  private passTime(): void {
    if (this.random.chance(0.15)) {
      const byMs = this.random.pick(WALL_STEPS_MS);
      this.steps.push(`the wall clock is set by ${byMs / DAY_MS} days`);
      this.appliance.clock.setWall(byMs);
      return;
    }
    const durationMs = this.random.pick(this.random.chance(0.6) ? SHORT_MS : LONG_MS);
    this.steps.push(`${durationMs / HOUR_MS} hours pass`);
    this.appliance.pass(durationMs);
  }

  private pickAct(tenant: TenantModel): Act {
    const { random, appliance } = this;
    const chosen = random.below(100);
    const own = this.agents.filter((agent) => agent.tenant === tenant);
    if (chosen < 60) {
      const agent = random.pick(own);
      return async () => `agent ${this.agents.indexOf(agent)} ${await agent.act()}`;
    }
    if (chosen < 66) return () => upkeep.deleteOne(tenant, random);
    if (chosen < 68) return () => upkeep.deleteSet(tenant, random);
    if (chosen < 71) return () => upkeep.undelete(tenant, random);
    if (chosen < 75) return () => upkeep.chooseRule(tenant, random);
    if (chosen < 77) {
      const setLock = (lockMs: number) => appliance.vaults.setPeriods(tenant.tenantId, { lockMs });
      return () => upkeep.changeLock(random, setLock);
    }
    if (chosen < 82) return () => upkeep.rot(tenant, appliance.storeFolder, random);
    if (chosen < 85) return () => upkeep.scrub(tenant);
    if (chosen < 88) return () => upkeep.scrubAndHeal(tenant, own);
    if (chosen < 96) return () => actHostilely(tenant, this.tenants, random);
    if (chosen < 98) return () => this.restart('restarted');
    return () => {
      appliance.isFull = !appliance.isFull;
      return this.restart(appliance.isFull ? 'disk full' : 'disk has room');
    };
  }

  private async restart(why: string): Promise<string> {
    await this.appliance.restart();
    for (const tenant of this.tenants) await expectSwept(tenant, this.appliance.storeFolder);
    return why;
  }

  private async look(tenant: TenantModel, isThorough: boolean): Promise<void> {
    if (!isThorough) {
      await expectInvariants(tenant, this.appliance.nowMs(), (kept) =>
        kept.length === 0 ? [] : [this.random.pick(kept)],
      );
      return;
    }
    for (const one of this.tenants) await expectInvariants(one, this.appliance.nowMs(), (kept) => kept);
  }

  /** All is healed, and then nothing is wrong, whatever came before. */
  private async end(): Promise<void> {
    this.appliance.isFull = false;
    this.steps.push(await this.restart('the end'));
    for (const tenant of this.tenants) {
      const own = this.agents.filter((agent) => agent.tenant === tenant);
      this.steps.push(await upkeep.scrubAndHeal(tenant, own));
      await expectInvariants(tenant, this.appliance.nowMs(), (kept) => kept);
    }
  }
}
