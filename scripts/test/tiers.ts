/** A group of vitest projects that `npm test` runs together, and what it proves, in words for a newcomer. */
export type Tier = {
  title: string;
  projects: string[];
};

/** In this order: the quick ones first, so that a simple mistake shows at once. */
export const TIERS: readonly Tier[] = [
  {
    title: 'House rules, units, contracts, frozen vectors, tenants kept apart',
    projects: ['house', 'unit', 'contracts', 'vectors', 'isolation'],
  },
  {
    title: 'End to end: real servers and agents, folders that go in and come back',
    projects: ['e2e'],
  },
  {
    title: 'Faults: killed processes, full disks, altered bytes, broken networks (the fast ones)',
    projects: ['faults'],
  },
];
