/** How long Claude Code keeps its transcripts. */

import { isObject } from '../../model/json.ts';
import type { Retention } from '../adapter.ts';
import { settingsOf } from '../shared/settings.ts';

/** By the time of change of a file; 2.1.330. */
const defaultDays = 30;

/** `cleanupPeriodDays`, a whole number from 1. While it is anything else, nothing is deleted (2.1.112). */
export const retention: Retention = {
  settings: 'settings.json',
  keepAll: '"cleanupPeriodDays": 36500',
  read: (text) => {
    const settings = settingsOf(text);
    const days: unknown = isObject(settings) ? settings['cleanupPeriodDays'] : undefined;
    if (days === undefined) return { days: defaultDays, isDefault: true };
    return typeof days === 'number' && Number.isInteger(days) && days >= 1
      ? { days, isDefault: false }
      : { isDefault: false };
  },
};
