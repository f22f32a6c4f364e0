"""`vad completion`: prints a script that completes commands, options and their choices in bash, zsh or fish.

The script is made of the parsers once, so that no completion has to wait for Python.
"""

import argparse
import shlex
from collections.abc import Mapping

from vad.detection.model_files import model_names

__all__ = ["add_arguments", "run"]

_EXAMPLES = """\
examples:
  eval "$(vad completion bash)"              in ~/.bashrc
  eval "$(vad completion zsh)"               in ~/.zshrc, after compinit
  vad completion fish > ~/.config/fish/completions/vad.fish
"""

# Without words, bash completes the names of files. Options are offered only where one was begun.
_BASH = """\
_vad_words() {{
    case "$1 $2" in
{arguments}
    *) case "$1" in
{commands}
        esac ;;
    esac
}}
_vad() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} words="{names}" hidden='-*'
    if [ "$COMP_CWORD" -gt 1 ]; then
        words=$(_vad_words "${{COMP_WORDS[1]}}" "${{COMP_WORDS[COMP_CWORD-1]}}")
    fi
    case "$word" in -*) hidden= ;; esac
    COMPREPLY=($(compgen -X "$hidden" -W "$words" -- "$word"))
}}
complete -o bashdefault -o default -F _vad vad"""
_ZSH = "autoload -U +X bashcompinit && bashcompinit\n"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog = _EXAMPLES
    parser.add_argument("shell", metavar="SHELL", choices=("bash", "zsh", "fish"), help="bash, zsh or fish")


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    parsers: Mapping[str, argparse.ArgumentParser] = args.all_parsers()
    if args.shell == "fish":
        print("\n".join(_fish_lines(parsers)))
    else:
        print((_ZSH if args.shell == "zsh" else "") + _bash(parsers))
    return 0


def _choices(action: argparse.Action) -> list[str]:
    if action.dest in ("model", "models"):
        return model_names()
    return [*map(str, action.choices or ())]


def _bash(parsers: Mapping[str, argparse.ArgumentParser]) -> str:
    arguments, commands = [], []
    for name, parser in parsers.items():
        words: list[str] = []
        for action in _shown(parser):
            choices = _choices(action)
            if action.option_strings and action.nargs != 0:
                pattern = "|".join(f'"{name} {option}"' for option in action.option_strings)
                arguments.append(f"    {pattern}) echo {shlex.join(choices)} ;;")
            words += action.option_strings or choices
        commands.append(f"        {name}) echo {shlex.join(words)} ;;")
    return _BASH.format(arguments="\n".join(arguments), commands="\n".join(commands), names=" ".join(parsers))


def _shown(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [action for action in parser._actions if action.help != argparse.SUPPRESS]


def _fish_lines(parsers: Mapping[str, argparse.ArgumentParser]) -> list[str]:
    lines = []
    for name, parser in parsers.items():
        lines.append(
            f"complete -c vad -n __fish_use_subcommand -a {name} -d {shlex.quote(str(parser.description))}"
        )
        of_command = f"complete -c vad -n '__fish_seen_subcommand_from {name}'"
        for action in _shown(parser):
            words = [of_command]
            words += [
                f"-{'l' if one.startswith('--') else 's'} {one.lstrip('-')}" for one in action.option_strings
            ]
            words += ["-r"] if action.option_strings and action.nargs != 0 else []
            choices = _choices(action)
            words += [f"-a {shlex.quote(' '.join(choices))}"] if choices else []
            if len(words) > 1:
                lines.append(" ".join([*words, f"-d {shlex.quote(str(action.help).replace('%%', '%'))}"]))
    return lines
