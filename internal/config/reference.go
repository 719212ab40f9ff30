package config

import (
	"errors"
	"io/fs"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"

	"elevate/internal/secret"
)

// defaultKeyset is where the keyset is if nothing is said.
const defaultKeyset = "file:/etc/elevate/keyset.json"

// variableName is what env: may name.
var variableName = regexp.MustCompile(`^[A-Z_][A-Z0-9_]{0,127}$`)

// decodeReference notes where a secret is. It never repeats what the file says, which may be the secret itself.
func (l *loader) decodeReference(path, text string) {
	scheme, rest, _ := strings.Cut(text, ":")
	switch {
	case scheme == "env" && variableName.MatchString(rest), scheme == "file" && filepath.IsAbs(rest):
		l.references[path] = text
	case scheme == "env":
		l.fail(path, "does not name an environment variable. Write env: and its name in capitals, as in env:%s.", variableOf(path))
	case scheme == "file":
		l.fail(path, "does not name a file. Write file: and an absolute path, as in file:/etc/elevate/secret.")
	default:
		l.fail(path, "is a secret and must not stand in the file. Write env:NAME or file:/path, or set the environment variable %s.",
			variableOf(path))
	}
}

// resolve fetches the secrets that the environment did not give directly.
func (l *loader) resolve() {
	if _, ok := l.references["keyset"]; !ok && !l.failed["keyset"] {
		l.references["keyset"] = defaultKeyset
	}
	l.eachScalar(func(path string, s setting) {
		reference, ok := l.references[path]
		if _, fromEnvironment := l.variable[path]; !ok || fromEnvironment || l.leaves(path, s) {
			return
		}
		scheme, name, _ := strings.Cut(reference, ":")
		if scheme == "env" {
			l.resolveVariable(path, name, s.value)
			return
		}
		if l.resolveFile(path, name, s.value) && path == "keyset" {
			l.config.KeysetFile = name
		}
	})
}

// leaves says whether a secret is left as it is, so that it is neither read nor missed.
func (l *loader) leaves(path string, s setting) bool {
	return l.keysetOnly && s.value.Type() == secretType && (path != "keyset" || l.noSecrets)
}

func (l *loader) resolveVariable(path, name string, into reflect.Value) {
	value, ok := l.env(name)
	if !ok || value == "" {
		l.fail(path, "refers to an environment variable that is not set. Set it.")
		return
	}
	into.Set(reflect.ValueOf(secret.New(value)))
}

func (l *loader) resolveFile(path, name string, into reflect.Value) bool {
	content, err := l.readFile(name)
	if err != nil {
		l.failFile(path, err)
		return false
	}
	// Editors and `echo` end a file with a line break, which belongs to no secret.
	value := strings.TrimRight(string(content), "\r\n")
	if value == "" {
		l.fail(path, "refers to a file that is empty. Write the secret into it.")
		return false
	}
	into.Set(reflect.ValueOf(secret.New(value)))
	return true
}

func (l *loader) failFile(path string, err error) {
	byDefault := strings.TrimPrefix(defaultKeyset, "file:")
	if _, set := l.where[path]; !set && errors.Is(err, fs.ErrNotExist) {
		l.fail(path, "is not set, and the file it has by default, %s, does not exist. Make it with `elevate keyset new %s`.", byDefault, byDefault)
		return
	}
	if path == "keyset" && errors.Is(err, fs.ErrNotExist) {
		l.fail(path, "refers to a file that is not there. Make it with `elevate keyset new FILE`, once: what one keyset sealed opens with no other.")
		return
	}
	// The system's word for it names no path, which may be a secret in the wrong place.
	why := "cannot be read"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		why = "does not exist"
	case errors.Is(err, fs.ErrPermission):
		why = "may not be read by this user"
	}
	l.fail(path, "refers to a file that %s. Check the path, the file and its owner.", why)
}
