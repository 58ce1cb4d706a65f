import type { TreeMaker } from './tree-maker.ts';

/** FIFOs, sockets and, as root, devices: linked ones too. Opening any of them may hang or do harm. */
export function makeSpecialFiles(maker: TreeMaker, asRoot: boolean): void {
  maker.fifo('fifo', { mode: 0o644 });
  maker.fifo('fifo-\xff\n', { mode: 0o600 });
  maker.attempt('socket', () => maker.socket('socket'));
  if (!asRoot) {
    maker.notMade.push({ what: 'device nodes', why: 'needs root' });
    return;
  }
  maker.attempt('character devices', () => {
    maker.device('null', 'character-device', { major: 1, minor: 3 });
    maker.device('high-minor', 'character-device', { major: 10, minor: 1_048_575 });
    maker.device('high-major', 'character-device', { major: 4_095, minor: 256 });
    maker.device('zero', 'character-device', { major: 0, minor: 1 });
    maker.hardLink('null', maker, 'null-2');
  });
  maker.attempt('block devices', () => {
    maker.device('block', 'block-device', { major: 7, minor: 200 });
    maker.device('block-high', 'block-device', { major: 259, minor: 65_537 });
  });
}
