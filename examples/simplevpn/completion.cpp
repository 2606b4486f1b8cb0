// completion.cpp - walks the parser's tree once (collect), then writes it for one shell.
#include "completion.h"

#include <string>
#include <vector>

namespace simplevpn {
namespace {

struct Item {
  std::vector<std::string> names;  // "-o", "--output"
  std::string description;
  bool takes_value = false;
  std::vector<std::string> choices;  // of the value
};

struct Node {
  std::string path;  // "/init/server"; "" = the program
  std::vector<Item> options;
  std::vector<Item> commands;  // below this one, one name each
  std::string positional;      // what a bare word means: "CONF", "NAME", ...

  bool takes_file() const { return positional == "CONF"; }
  bool takes_name() const { return positional == "NAME" || takes_file(); }  // of a tunnel
};

// "WHEN:{auto,always,never}" -> auto, always, never
std::vector<std::string> choices_of(const std::string& type) {
  const std::size_t open = type.find('{');
  const std::size_t close = type.find('}', open);
  std::vector<std::string> choices;
  if (open == std::string::npos || close == std::string::npos) return choices;
  std::string word;
  for (const char c : type.substr(open + 1, close - open - 1) + ",") {
    if (c != ',') {
      word += c;
      continue;
    }
    choices.push_back(word);
    word.clear();
  }
  return choices;
}

Item item_of(const CLI::Option& option) {
  Item item;
  for (const std::string& name : option.get_snames()) item.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) item.names.push_back("--" + name);
  item.description = option.get_description();
  item.takes_value = option.get_expected_min() > 0;
  item.choices = choices_of(option.get_type_name());
  return item;
}

void collect(const CLI::App& app, const std::string& path, std::vector<Node>& nodes) {
  Node node{.path = path};
  for (const CLI::Option* option : app.get_options()) {
    if (option->nonpositional()) node.options.push_back(item_of(*option));
    const bool bare = option->get_positional();
    if (bare && node.positional.empty()) node.positional = option->get_name(true);
    const auto choices = choices_of(option->get_type_name());
    for (const std::string& choice : choices) {
      if (bare) node.commands.push_back({{choice}, option->get_description(), false, {}});
    }
  }
  const auto below = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* command : below) {
    node.commands.push_back({{command->get_name()}, command->get_description(), false, {}});
  }
  nodes.push_back(node);
  for (const CLI::App* command : below) collect(*command, path + "/" + command->get_name(), nodes);
}

// The program's own options stand with every command; only --help and --version mean their place.
void add_global(const std::vector<Item>& global, Node& node) {
  if (node.path.empty()) return;
  for (const Item& item : global) {
    const std::string& name = item.names.back();
    if (name != "--help" && name != "--version") node.options.push_back(item);
  }
}

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

std::string words_of(const Node& node) {
  std::vector<std::string> words;
  for (const Item& item : node.commands) words.push_back(item.names[0]);
  for (const Item& item : node.options)
    words.insert(words.end(), item.names.begin(), item.names.end());
  return joined(words, " ");
}

// The paths of all commands, as patterns of a shell's `case`.
std::string paths_of(const std::vector<Node>& nodes, const char* between) {
  std::vector<std::string> paths;
  for (const Node& node : nodes) {
    if (!node.path.empty()) paths.push_back(node.path);
  }
  return joined(paths, between);
}

// Everything that stands in single quotes of a script.
std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

// ---- bash ----

// Options with a value, which may be a file where it has no choices: "/path --option".
std::string bash_values(const std::vector<Node>& nodes) {
  std::string text;
  for (const Node& node : nodes) {
    for (const Item& item : node.options) {
      if (!item.takes_value) continue;
      std::vector<std::string> patterns;
      for (const std::string& name : item.names)
        patterns.push_back("\"" + node.path + " " + name + "\"");
      const std::string answer =
          item.choices.empty() ? "compgen -f" : "compgen -W " + quoted(joined(item.choices, " "));
      text += "    " + joined(patterns, "|") + ")\n      COMPREPLY=($(" + answer +
              " -- \"$current\")); return ;;\n";
    }
  }
  return text;
}

std::string bash_words(const std::vector<Node>& nodes) {
  std::string text;
  for (const Node& node : nodes) {
    std::string answer = "$(compgen -W " + quoted(words_of(node)) + " -- \"$current\")";
    if (node.takes_name()) answer += " $(compgen -W \"$(_simplevpn_names)\" -- \"$current\")";
    if (node.takes_file()) answer += " $(compgen -f -- \"$current\")";
    text += "    \"" + node.path + "\") COMPREPLY=(" + answer + ") ;;\n";
  }
  return text;
}

std::string bash_script(const std::vector<Node>& nodes) {
  return "# bash completion of simplevpn, made by `simplevpn completion bash`\n"
         "_simplevpn_names() {\n"
         "  local file\n"
         "  for file in /run/wireguard/*.sock /etc/wireguard/*.conf; do\n"
         "    [ -e \"$file\" ] || continue\n"
         "    file=${file##*/}; echo \"${file%.*}\"\n"
         "  done 2>/dev/null\n"
         "}\n"
         "_simplevpn() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
         "  local path= word\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    case \"$path/$word\" in\n"
         "    " +
         paths_of(nodes, "|") +
         ") path=$path/$word ;;\n"
         "    esac\n"
         "  done\n"
         "  case \"$path $previous\" in\n" +
         bash_values(nodes) +
         "  esac\n"
         "  case \"$path\" in\n" +
         bash_words(nodes) +
         "  esac\n"
         "}\n"
         "complete -F _simplevpn simplevpn\n";
}

// ---- zsh ----

std::string zsh_entries(const Node& node) {
  std::string text;
  const auto add = [&](const std::string& name, const std::string& description) {
    std::string safe;
    for (const char c : description) safe += c == ':' ? std::string("\\:") : std::string(1, c);
    text += " " + quoted(name + ":" + safe);
  };
  for (const Item& item : node.commands) add(item.names[0], item.description);
  for (const Item& item : node.options) {
    for (const std::string& name : item.names) add(name, item.description);
  }
  return text;
}

std::string zsh_values(const std::vector<Node>& nodes) {
  std::string text;
  for (const Node& node : nodes) {
    for (const Item& item : node.options) {
      if (!item.takes_value) continue;
      const std::string answer =
          item.choices.empty() ? "_files" : "compadd -- " + joined(item.choices, " ");
      for (const std::string& name : item.names) {
        text += "  \"" + node.path + " " + name + "\") " + answer + "; return ;;\n";
      }
    }
  }
  return text;
}

std::string zsh_script(const std::vector<Node>& nodes) {
  std::string text =
      "#compdef simplevpn\n"
      "# zsh completion of simplevpn, made by `simplevpn completion zsh`\n"
      "local location= word\n"
      "local -a entries names\n"
      "for word in ${words[2,CURRENT-1]}; do\n"
      "  case \"$location/$word\" in\n"
      "  " +
      paths_of(nodes, "|") +
      ") location=$location/$word ;;\n"
      "  esac\n"
      "done\n"
      "case \"$location ${words[CURRENT-1]}\" in\n" +
      zsh_values(nodes) +
      "esac\n"
      "case \"$location\" in\n";
  for (const Node& node : nodes) {
    text += "  \"" + node.path + "\") entries=(" + zsh_entries(node) + " )\n";
    if (node.takes_name()) {
      text += "    names=(/run/wireguard/*.sock(N:t:r) /etc/wireguard/*.conf(N:t:r))\n";
    }
    if (node.takes_file()) text += "    _files\n";
    text += "    ;;\n";
  }
  return text + "esac\ncompadd -a names\n_describe simplevpn entries\n";
}

// ---- fish ----

void fish_option(const Node& node, const Item& item, std::string& text) {
  text += "complete -c simplevpn -n " + quoted("__simplevpn_at " + quoted(node.path));
  for (const std::string& name : item.names) {
    text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (item.takes_value && item.choices.empty()) text += " -r -F";
  if (!item.choices.empty()) text += " -x -a " + quoted(joined(item.choices, " "));
  text += " -d " + quoted(item.description) + "\n";
}

std::string fish_script(const std::vector<Node>& nodes) {
  std::string text =
      "# fish completion of simplevpn, made by `simplevpn completion fish`\n"
      "function __simplevpn_at\n"
      "  set -l path ''\n"
      "  for word in (commandline -opc)[2..-1]\n"
      "    switch \"$path/$word\"\n"
      "      case " +
      paths_of(nodes, " ") +
      "\n"
      "        set path \"$path/$word\"\n"
      "    end\n"
      "  end\n"
      "  test \"$path\" = \"$argv[1]\"\n"
      "end\n"
      "function __simplevpn_names\n"
      "  for file in /run/wireguard/*.sock /etc/wireguard/*.conf\n"
      "    string replace -r '.*/(.*)\\..*' '$1' $file\n"
      "  end\n"
      "end\n"
      "complete -c simplevpn -f\n";
  for (const Node& node : nodes) {
    const std::string at =
        "complete -c simplevpn -n " + quoted("__simplevpn_at " + quoted(node.path));
    for (const Item& item : node.commands) {
      text += at + " -a " + item.names[0] + " -d " + quoted(item.description) + "\n";
    }
    for (const Item& item : node.options) fish_option(node, item, text);
    if (node.takes_name()) text += at + " -a '(__simplevpn_names)'\n";
    if (node.takes_file()) text += at + " -F\n";
  }
  return text;
}

}  // namespace

std::string completion_script(const CLI::App& app, const std::string& shell) {
  std::vector<Node> nodes;
  collect(app, "", nodes);
  for (Node& node : nodes) add_global(nodes.front().options, node);
  if (shell == "bash") return bash_script(nodes);
  return shell == "zsh" ? zsh_script(nodes) : fish_script(nodes);
}

}  // namespace simplevpn
