import { RecordReader, RecordWriter } from '@cofre/shared/encoding/record';
import { readTime, writeTime } from '@cofre/shared/encoding/time';
import { CofreError } from '@cofre/shared/errors';
import { RANDOM_ID_BYTES, type DeviceId, type SetId, type TenantId } from '@cofre/shared/ids';
import {
  RULE_PARTS,
  parseRetentionRule,
  requireTimeZone,
  type RetentionRule,
} from '../../policy/retention-rule.ts';

/** What a setting is for: a device's set, or null for all sets that have none of their own. */
export type RetentionTarget = { readonly deviceId: DeviceId; readonly setId: SetId } | null;

/** `default`: as the tenant's default says. `everything`: nothing goes by itself. `rule`: what the rule keeps. */
export type RetentionChoice =
  | { readonly mode: 'default' }
  | { readonly mode: 'everything' }
  | { readonly mode: 'rule'; readonly rule: RetentionRule; readonly timeZone: string };

/** What the store says about retention. Each change adds an object; the newest one of a target counts. */
export interface RetentionSetting {
  readonly tenantId: TenantId;
  /** Service time. */
  readonly setNs: bigint;
  readonly target: RetentionTarget;
  readonly choice: RetentionChoice;
}

const MODES = { default: 0, everything: 1, rule: 2 } as const;
const FIRST_PART = 7;
const WHAT = 'A retention setting';

/**
 * A canonical record: 1 tenant id, 2 time, 3 device id and 4 set id (both missing: the default), 5 mode, 6 time zone,
 * from 7 on the parts of the rule in the order of `RULE_PARTS`, those that are 0 missing.
 */
export function encodeRetentionSetting({ tenantId, setNs, target, choice }: RetentionSetting): Buffer {
  const record = new RecordWriter();
  record.hex(1, true, tenantId);
  record.build(2, false, (bytes) => writeTime(bytes, setNs));
  if (target !== null) record.hex(3, true, target.deviceId).hex(4, true, target.setId);
  record.number(5, true, MODES[choice.mode]);
  if (choice.mode === 'rule') {
    record.text(6, true, choice.timeZone);
    RULE_PARTS.forEach((part, place) => {
      if (choice.rule[part] !== 0) record.number(FIRST_PART + place, true, choice.rule[part]);
    });
  }
  return record.take();
}

/** @throws CofreError `damaged`, `unknown_format`; `invalid_request`, `rule_keeps_nothing` for what is no rule */
export function decodeRetentionSetting(bytes: Uint8Array): RetentionSetting {
  const record = new RecordReader(bytes, WHAT);
  const tenantId = record.hex<TenantId>(1, RANDOM_ID_BYTES);
  const setNs = readTime(record.reader(2));
  const deviceId = record.optionalHex<DeviceId>(3, RANDOM_ID_BYTES);
  const setId = record.optionalHex<SetId>(4, RANDOM_ID_BYTES);
  const setting = {
    tenantId,
    setNs,
    target: deviceId === null || setId === null ? null : { deviceId, setId },
    choice: readChoice(record),
  };
  record.close();
  return setting;
}

function readChoice(record: RecordReader): RetentionChoice {
  const code = record.number(5);
  if (code === MODES.default) return { mode: 'default' };
  if (code === MODES.everything) return { mode: 'everything' };
  if (code !== MODES.rule) throw new CofreError('unknown_format', { what: WHAT, problem: `mode ${code}` });
  const timeZone = record.text(6);
  requireTimeZone(timeZone);
  const parts = RULE_PARTS.map((part, place) => [part, record.optionalNumber(FIRST_PART + place) ?? 0]);
  return { mode: 'rule', timeZone, rule: parseRetentionRule(Object.fromEntries(parts)) };
}
