import { expect, test } from 'vitest';
import { hasMemoryGroups } from '../../builders/memory-group.ts';
import { lacks } from '../../requirements.ts';
import { expectLittleMemorySuffices } from '../scenes/little-memory.ts';

const lacksGroups = lacks('root', ...(hasMemoryGroups ? [] : ['cgroups of version 1']));

// Only the kernel can say how much a process may take.
test.skipIf(lacksGroups)(
  'a server with 512 MB serves 100 agents at once, and keeps 1,000 tenants',
  async () => {
    const peakBytes = await expectLittleMemorySuffices(1000, 100);
    console.info(`the server and the files that it holds in memory took ${peakBytes} bytes at most`);
    expect(peakBytes).toBeGreaterThan(0);
  },
);
