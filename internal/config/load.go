package config

import (
	"fmt"
	"reflect"
	"strings"
)

// loader gathers the settings and what is wrong with them.
type loader struct {
	config   *Config
	env      func(string) (string, bool)
	readFile func(string) ([]byte, error)

	keysetOnly  bool            // no other secret is resolved
	noSecrets   bool            // nor is the keyset
	noRoles     bool            // there may be none yet
	environment []string        // NAME=value, all of it
	variables   map[string]bool // the names of all settings' variables

	// where holds the place of each value of the file by its key's path, and for keys without a value the key's own.
	where map[string]position
	// variable holds the environment variable of each value that came from one.
	variable map[string]string
	// references holds what the file says for each secret.
	references map[string]string
	// failed holds the keys that a mistake was found for, so that one mistake is said once; unread those of them whose
	// content is unknown, so that nothing is said to be missing there.
	failed   map[string]bool
	unread   map[string]bool
	mistakes []Mistake
}

// An Option changes what Load reads.
type Option func(*loader)

// KeysetOnly leaves every secret but the keyset as it is, unread and empty: an operator's command talks to nobody, and
// its environment need not hold what the bot's does.
func KeysetOnly() Option { return func(l *loader) { l.keysetOnly = true } }

// NoSecrets leaves every secret as it is, also the keyset: for what is only about names and addresses.
func NoSecrets() Option { return func(l *loader) { l.keysetOnly, l.noSecrets = true, true } }

// MayHaveNoRoles takes settings in which no role is declared yet.
func MayHaveNoRoles() Option { return func(l *loader) { l.noRoles = true } }

// Environment has the variables of ours checked, given the whole environment as os.Environ has it: one that is no setting's is a
// mistake, because it is a setting's name with a typo.
func Environment(all []string) Option { return func(l *loader) { l.environment = all } }

// Load reads the settings in the file at path and in the environment. If they are wrong, the error is an *Error that
// lists every mistake. Load never prints or returns a secret except as a secret.Text.
func Load(path string, env func(string) (string, bool), readFile func(string) ([]byte, error), options ...Option) (*Config, error) {
	content, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("the settings cannot be read: %w; name a file with -config that is there and yours to read, or write one with `elevate tenant init`", err)
	}
	l := &loader{
		config: &Config{}, env: env, readFile: readFile,
		where: map[string]position{"": {1, 1}}, variable: map[string]string{}, variables: map[string]bool{},
		references: map[string]string{}, failed: map[string]bool{}, unread: map[string]bool{},
	}
	for _, option := range options {
		option(l)
	}
	root, wrong := parse(content)
	if wrong != nil {
		return nil, newError(path, []Mistake{{Line: wrong.at.line, Column: wrong.at.column, Message: wrong.say}})
	}
	l.config.setDefaults()
	l.decodeSection("", reflect.ValueOf(l.config).Elem(), root)
	l.overlay("", reflect.ValueOf(l.config).Elem())
	l.checkEnvironment()
	l.resolve()
	l.config.derive()
	l.check()
	if err := newError(path, l.mistakes); err != nil {
		return nil, err
	}
	l.config.normalise()
	return l.config, nil
}

// fail notes a mistake about a key. Its message begins with the key, so the sentence begins with a verb.
func (l *loader) fail(path, sentence string, args ...any) {
	if l.failed[path] || l.isUnread(path) {
		return
	}
	l.failed[path] = true
	mistake := Mistake{Key: path, Message: strings.TrimSpace(path + " " + fmt.Sprintf(sentence, args...))}
	if name, ok := l.variable[path]; ok {
		mistake.Variable = name
	} else {
		at := l.placeOf(path)
		mistake.Line, mistake.Column = at.line, at.column
	}
	l.mistakes = append(l.mistakes, mistake)
}

// failToRead notes a mistake about a key whose value could not be read at all.
func (l *loader) failToRead(path, sentence string, args ...any) {
	l.fail(path, sentence, args...)
	l.unread[path] = true
}

func (l *loader) isUnread(path string) bool {
	for path != "" {
		if l.unread[path] {
			return true
		}
		path = parent(path)
	}
	return false
}

// placeOf gives the place of a key's value, or of the section it is missing from.
func (l *loader) placeOf(path string) position {
	for {
		if at, ok := l.where[path]; ok {
			return at
		}
		path = parent(path)
	}
}

// parent cuts the last step off a key's path.
func parent(path string) string {
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}

// join extends a key's path.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
