import { expect, test } from 'vitest';
import { stateFolders } from './state-folders.ts';

const user = { environment: {}, isRoot: false, homeFolder: '/users/ana' };

test('a chosen folder holds its cache too, and goes before COFRE_STATE', () => {
  const surroundings = { ...user, environment: { COFRE_STATE: '/from/environment' } };
  const chosen = { stateFolder: '/chosen', cacheFolder: '/chosen/cache' };
  expect(stateFolders('/chosen', surroundings)).toEqual(chosen);
  const named = { stateFolder: '/from/environment', cacheFolder: '/from/environment/cache' };
  expect(stateFolders(undefined, surroundings)).toEqual(named);
});

test('as root the folders are those of a service', () => {
  const folders = { stateFolder: '/var/lib/cofre', cacheFolder: '/var/cache/cofre' };
  expect(stateFolders(undefined, { ...user, isRoot: true })).toEqual(folders);
});

test('a user has them where XDG says, else below the home folder', () => {
  expect(stateFolders(undefined, user)).toEqual({
    stateFolder: '/users/ana/.local/state/cofre',
    cacheFolder: '/users/ana/.cache/cofre',
  });
  const environment = { XDG_STATE_HOME: '/xdg/state', XDG_CACHE_HOME: 'relative', COFRE_STATE: '' };
  expect(stateFolders(undefined, { ...user, environment })).toEqual({
    stateFolder: '/xdg/state/cofre',
    cacheFolder: '/users/ana/.cache/cofre',
  });
});
