/** How long Gemini CLI keeps its chats. */

import { booleanAt, numberAt, objectAt, stringAt } from '../../model/json.ts';
import type { Retention } from '../adapter.ts';
import { settingsOf } from '../shared/settings.ts';

const defaultAge = '30d';
const defaultLeast = '1d';
const daysOf = { h: 1 / 24, d: 1, w: 7, m: 30 } as const;

/** `general.sessionRetention`, on unless it says otherwise. With a value that is none, nothing is deleted (0.61.0). */
export const retention: Retention = {
  settings: 'settings.json',
  keepAll: '"general": { "sessionRetention": { "enabled": false } }',
  read: (text) => {
    const set = objectAt(objectAt(settingsOf(text), 'general'), 'sessionRetention');
    if (booleanAt(set, 'enabled') === false) return { isDefault: false };
    const days = periodOf(stringAt(set, 'maxAge') ?? defaultAge);
    const least = periodOf(stringAt(set, 'minRetention') ?? defaultLeast) ?? daysOf.d;
    const sessions = numberAt(set, 'maxCount');
    const isDefault = set === undefined;
    if (days === undefined || days < least || (sessions !== undefined && sessions < 1)) return { isDefault };
    return { days, ...(sessions === undefined ? {} : { sessions }), isDefault };
  },
};

/** `30d`, `24h`, `1w`, `6m` (of 30 days) in days; `undefined` when it is none. */
function periodOf(text: string): number | undefined {
  const [, count, unit] = /^(\d+)([dhwm])$/.exec(text) ?? [];
  // The expression names the units.
  const days = Number(count) * (unit === undefined ? Number.NaN : daysOf[unit as keyof typeof daysOf]);
  return days > 0 ? days : undefined;
}
