import { defineConfig, type OxlintOverride } from 'oxlint';
import { LAYERS, type Layer } from './scripts/lint/layers.ts';

const purity =
  'Policy is pure: time and chance are given to it, so that every decision can be repeated in a test.';

function overrideFor({ files, excludeFiles, bans }: Layer): OxlintOverride {
  return { files, excludeFiles, rules: { 'no-restricted-imports': ['error', { patterns: bans }] } };
}

export default defineConfig({
  plugins: ['eslint', 'typescript', 'unicorn', 'oxc', 'import', 'promise', 'node', 'vitest'],
  options: { typeAware: true, denyWarnings: true, reportUnusedDisableDirectives: 'error' },
  ignorePatterns: ['dist/**', 'node_modules/**'],
  categories: { correctness: 'error', suspicious: 'error' },
  rules: {
    eqeqeq: 'error',
    'max-depth': ['error', 4],
    'max-params': ['error', 5],
    'no-else-return': 'error',
    'no-throw-literal': 'error',
    'no-var': 'error',
    'prefer-const': 'error',
    'import/no-cycle': 'error',
    'import/no-default-export': 'error',
    'typescript/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
    'typescript/no-explicit-any': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/only-throw-error': 'error',
    'typescript/prefer-promise-reject-errors': 'error',
    'typescript/return-await': ['error', 'error-handling-correctness-only'],
    'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    'typescript/use-unknown-in-catch-callback-variable': 'error',
    'unicorn/prefer-node-protocol': 'error',
    'unicorn/throw-new-error': 'error',
    // Branded types and what JSON.parse gives are asserted at the place that has checked them.
    'typescript/no-unsafe-type-assertion': 'off',
    // `parseId<TenantId>(text)` names the brand at the call; there is no argument to infer it from.
    'typescript/no-unnecessary-type-parameters': 'off',
    'typescript/no-unnecessary-type-arguments': 'off',
    // It takes a method that moves something for a value that stays.
    'no-unmodified-loop-condition': 'off',
    'promise/always-return': 'off',
    // For windows of a browser; threads have no origin.
    'unicorn/require-post-message-target-origin': 'off',
    'unicorn/consistent-function-scoping': 'off',
    'vitest/no-standalone-expect': 'off',
    // A leading underscore says: not used, on purpose.
    'no-underscore-dangle': 'off',
    // A copy of a fresh array is work for nothing, and ours can hold a million paths.
    'unicorn/no-array-reverse': 'off',
    'unicorn/no-array-sort': 'off',
    'vitest/expect-expect': ['error', { assertFunctionNames: ['expect*', 'assert*', 'fc.assert'] }],
  },
  overrides: [
    ...LAYERS.map(overrideFor),
    {
      // The command lines print; everything else says what happened to whoever called it.
      files: ['packages/{shared,server,agent,console}/src/**/*.ts'],
      excludeFiles: ['**/*.test.ts'],
      rules: { 'no-console': 'error' },
    },
    {
      files: ['packages/server/src/policy/**/*.ts'],
      excludeFiles: ['**/*.test.ts'],
      rules: {
        'no-restricted-properties': [
          'error',
          { object: 'Date', property: 'now', message: purity },
          { object: 'Math', property: 'random', message: purity },
        ],
        'no-restricted-globals': ['error', 'performance', 'process', 'setTimeout', 'setInterval', 'crypto'],
      },
    },
    { files: ['*.config.ts'], rules: { 'import/no-default-export': 'off' } },
  ],
});
