import manifest from '../package.json' with { type: 'json' };

/** As the package has it. */
export const SERVER_VERSION: string = manifest.version;
