"""The code that the API Explorer writes: each snippet of each action is in its language's syntax."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.explorer_calls import call_of, every_call

from rolecall.console.explorer.calls import Hole
from rolecall.console.explorer.snippets import snippets
from rolecall.console.explorer.snippets.literals import go_text, hcl_text, java_text, node_text, python_text

SHELLS = ("curl", "tccli", "aliyun", "openstack")
EXTENSIONS = {"python": "py", "go": "go", "node": "mjs", "java": "java", "terraform": "tf"}
HOSTILE = "a'b\"c\\d`e`$(touch /tmp/x)${HOME}%{x}\n#{y}\t-- ; & | é\u2028\ufeff\U0001f600"


def every_snippet() -> Iterator[tuple[str, str, str]]:
    """Language, the call's name, and the text."""
    for call in every_call():
        for snippet in snippets(call):
            yield snippet.language, f"{call.service}-{call.version}-{call.action}", snippet.text


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[Path]]:
    """The files of each language."""
    files: dict[str, list[Path]] = {}
    for language, name, text in every_snippet():
        folder = tmp_path_factory.getbasetemp() / language / re.sub(r"\W", "_", name)
        folder.mkdir(parents=True)
        file = folder / ("Call.java" if language == "java" else f"call.{EXTENSIONS.get(language, 'sh')}")
        file.write_text(text, "utf-8")
        files.setdefault(language, []).append(file)
    return files


def require(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


def checked(command: list[str], files: list[Path], **more: str) -> None:
    done = subprocess.run(
        [*command, *map(str, files)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_action_has_code_in_every_language_of_its_api() -> None:
    calls = list(every_call())
    assert len(calls) > 150
    always = {
        "tencent": {"curl", "tccli", "python", "go", "node", "java"},
        "aliyun": {"curl", "aliyun", "python", "go", "node", "java"},
        "openstack": {"curl", "python", "go", "node", "java"},
    }
    for call in calls:
        assert {each.language for each in snippets(call)} >= always[call.dialect], call.action


@pytest.mark.parametrize("language", SHELLS)
def test_the_shell_parses_every_script(written: Mapping[str, list[Path]], language: str) -> None:
    for file in written[language]:
        checked([require("bash"), "-n"], [file])


def test_python_compiles_every_snippet(written: Mapping[str, list[Path]]) -> None:
    for file in written["python"]:
        ast.parse(file.read_text("utf-8"))


def test_go_parses_every_snippet(written: Mapping[str, list[Path]]) -> None:
    checked([require("gofmt"), "-e", "-l"], written["go"])


def test_node_parses_every_snippet(written: Mapping[str, list[Path]], tmp_path: Path) -> None:
    """One process: the parser is asked for a module at a time."""
    program = tmp_path / "check.mjs"
    program.write_text(
        'import fs from "node:fs"; import vm from "node:vm";\n'
        "for (const file of process.argv.slice(2)) "
        'new vm.SourceTextModule(fs.readFileSync(file, "utf8"), { identifier: file });\n'
    )
    checked([require("node"), "--no-warnings", "--experimental-vm-modules", str(program)], written["node"])


_PARSE = """\
import java.nio.file.Path;
import java.util.*;
import javax.tools.*;
import com.sun.source.util.JavacTask;

public class Parse {
    public static void main(String[] files) throws Exception {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        DiagnosticCollector<JavaFileObject> found = new DiagnosticCollector<>();
        StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, null);
        var sources = manager.getJavaFileObjects(files);
        ((JavacTask) compiler.getTask(null, manager, found, null, null, sources)).parse();
        for (var each : found.getDiagnostics()) System.out.println(each);
        System.exit(found.getDiagnostics().isEmpty() ? 0 : 1);
    }
}
"""


def test_java_parses_every_snippet(written: Mapping[str, list[Path]], tmp_path: Path) -> None:
    require("javac")
    (tmp_path / "Parse.java").write_text(_PARSE)
    checked([require("java"), str(tmp_path / "Parse.java")], written["java"])


def test_terraform_reads_every_resource(written: Mapping[str, list[Path]]) -> None:
    assert len(written["terraform"]) == 7
    for file in written["terraform"]:
        checked([require("terraform"), "fmt", "-check=false", "-write=false"], [file])


@pytest.mark.parametrize(
    "text", [HOSTILE, "\\", "'", '"', "${x}", "%{if true}", "$(id)", "\\u0022", "\\\\u0022"]
)
def test_a_hostile_value_is_the_same_text_to_each_shell_and_runtime(text: str, tmp_path: Path) -> None:
    call = call_of("cam", "CreateGroup", GroupName=text)
    by_language = {each.language: each.text for each in snippets(call)}
    # The command line gets it as one argument.
    (tmp_path / "tccli").write_text('#!/bin/bash\nprintf "%s\\0" "$@"\n')
    (tmp_path / "tccli").chmod(0o755)
    done = subprocess.run(
        [require("bash"), "-c", by_language["tccli"]], capture_output=True, env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        timeout=60, check=True,
    )  # fmt: skip
    arguments = done.stdout.decode().split("\0")
    assert arguments[arguments.index("--GroupName") + 1] == text
    # curl's payload is that JSON.
    script = by_language["curl"].partition("host=")[0] + 'printf "%s" "$payload"'
    environment = {"PATH": "/usr/bin:/bin", "TENCENTCLOUD_SECRET_ID": "i", "TENCENTCLOUD_SECRET_KEY": "k"}
    done = subprocess.run(
        [require("bash"), "-c", script], capture_output=True, env=environment, timeout=60, check=True
    )
    assert json.loads(done.stdout)["GroupName"] == text
    # node prints it again.
    if shutil.which("node"):
        program = f"process.stdout.write(JSON.stringify({node_text(text)}))"
        done = subprocess.run(["node", "-e", program], capture_output=True, timeout=60, check=True)
        assert json.loads(done.stdout) == text


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_literals_are_one_string_each(text: str) -> None:
    assert ast.literal_eval(python_text(text)) == text
    assert go_text(text) == python_text(text)
    java = java_text(text)
    assert java.isascii()
    assert json.loads(java) == text
    assert "\n" not in java + node_text(text)
    hcl = hcl_text(text)
    assert (
        ast.literal_eval(hcl).replace("$${", "${").replace("%%{", "%{") == text
        or "$$" in text
        or "%%" in text
    )
    assert not re.search(r"(?<!\$)(?:\$\$)*\$\{", hcl.replace("$${", ""))


def test_secrets_are_variables_of_the_environment() -> None:
    for call in every_call():
        for hole in call.holes:
            for snippet in snippets(call):
                name = hole.variable.lower() if snippet.language == "terraform" else hole.variable
                if snippet.language != "terraform" or f"var.{name}" in snippet.text:
                    assert name in snippet.text, (call.action, snippet.language)


def test_a_password_in_a_list_is_quoted_for_json_when_the_script_runs() -> None:
    users = [{"name": "app", "password": Hole("PASSWORD")}]
    (curl,) = (
        each for each in snippets(call_of("database", "CreateUsers", users=users)) if each.language == "curl"
    )
    script = curl.text.replace("curl -sS", "cat; exit #")
    environment = {"PATH": "/usr/bin:/bin", "OS_TOKEN": "t", "PASSWORD": 'a"b\\c'}
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, env=environment, timeout=60, check=True
    )
    assert json.loads(done.stdout)["users"][0]["password"] == 'a"b\\c'
