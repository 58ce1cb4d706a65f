import { LIMITS } from '@cofre/shared/limits';

/** How often a run makes sure of what it has done. */
export interface RunPace {
  /** A first backup makes a checkpoint after this time, or when it has sent so much. */
  readonly checkpointMs: number;
  readonly checkpointBytes: number;
  /** A run that is longer goes on in another session. */
  readonly sessionMs: number;
}

export const RUN_PACE: RunPace = {
  checkpointMs: LIMITS.checkpointIntervalMs,
  checkpointBytes: LIMITS.checkpointBytes,
  sessionMs: LIMITS.sessionWorkMaxMs,
};
