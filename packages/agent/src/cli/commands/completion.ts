import type { Command } from 'commander';
import { CofreError } from '@cofre/shared/errors';
import { withGeneralOptions } from '../general-options.ts';
import type { CommandLine, CommonFlags } from '../invocation.ts';

/** `cofre completion SHELL` */
export function addCompletionCommand(program: Command, { say, run }: CommandLine): void {
  withGeneralOptions(program.command('completion'), say)
    .description(say('completionDescription'))
    .argument('<shell>', say('completionShell'))
    .action(async (shell: string, flags: CommonFlags) =>
      run(flags, async ({ output }) => {
        const script = scriptFor(shell, program);
        output.row('completion', { shell, script }, () => script.trimEnd());
      }),
    );
}

function scriptFor(shell: string, program: Command): string {
  switch (shell) {
    case 'bash':
      return bashScript(program);
    case 'zsh':
      return `autoload -U +X bashcompinit && bashcompinit\n${bashScript(program)}`;
    case 'fish':
      return fishScript(program);
    default:
      throw new CofreError('usage', { problem: `the shell is bash, zsh or fish, not "${shell}"` });
  }
}

/** Words of the command, then options; for everything else the shell completes names of files. */
function bashScript(program: Command): string {
  const cases = program.commands.map((command) => {
    const words = [...command.commands.map((inner) => inner.name()), ...optionsOf(command)];
    return `    ${command.name()}) words="${words.join(' ')}" ;;`;
  });
  return [
    '_cofre() {',
    '  local current="${COMP_WORDS[COMP_CWORD]}" words=""',
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    COMPREPLY=($(compgen -W "${program.commands.map((command) => command.name()).join(' ')}" -- "$current"))`,
    '    return',
    '  fi',
    '  case "${COMP_WORDS[1]}" in',
    ...cases,
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '}',
    'complete -o default -o bashdefault -F _cofre cofre',
    '',
  ].join('\n');
}

function fishScript(program: Command): string {
  const lines = program.commands.flatMap((command) => {
    const name = command.name();
    const options = optionsOf(command).map((option) => option.slice(2));
    return [
      `complete -c cofre -n __fish_use_subcommand -a ${name} -d ${quoted(command.description())}`,
      ...options.map((option) => `complete -c cofre -n '__fish_seen_subcommand_from ${name}' -l ${option}`),
    ];
  });
  return `${lines.join('\n')}\n`;
}

function optionsOf(command: Command): string[] {
  const inner = command.commands.flatMap((below) => below.options);
  return [
    ...new Set([...command.options, ...inner].flatMap(({ long }) => (long === undefined ? [] : [long]))),
  ];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`\'`)}'`;
}
