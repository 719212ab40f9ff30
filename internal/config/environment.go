package config

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"elevate/internal/pim"
)

// variablePrefix begins the name of every environment variable of ours.
const variablePrefix = "ELEVATE_"

// variableOf gives the environment variable of a key.
func variableOf(path string) string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

// overlay lets the environment beat the file, key by key. It says whether any variable was set. A section that the file
// lacks comes into being with its first variable.
func (l *loader) overlay(path string, of reflect.Value) bool {
	found := false
	for _, s := range settings(of) {
		at := join(path, s.key)
		switch {
		case isScalar(s.value.Type()):
			found = l.overlayScalar(at, s.value) || found
		case s.value.Kind() == reflect.Struct:
			found = l.overlay(at, s.value) || found
		case s.value.Kind() == reflect.Pointer && !s.value.IsNil():
			found = l.overlay(at, s.value.Elem()) || found
		case s.value.Kind() == reflect.Pointer:
			made := fresh(s.value.Type().Elem())
			if l.overlay(at, made.Elem()) {
				s.value.Set(made)
				found = true
			}
		}
	}
	return found
}

func (l *loader) overlayScalar(path string, into reflect.Value) bool {
	name := variableOf(path)
	l.variables[name] = true
	value, ok := l.env(name)
	if !ok || value == "" {
		return false
	}
	l.variable[path] = name
	if wrong := setScalar(into, value); wrong != "" {
		l.fail(path, "%s", wrong)
	}
	return true
}

// foreign are the variables that begin like ours and are not for the settings: where `elevate act` finds its sandbox, and
// what Kubernetes tells every pod beside a service that is called elevate.
var foreign = regexp.MustCompile(`^ELEVATE_(SANDBOX_DIR|(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?))$`)

// checkEnvironment refuses variables that would be a setting's but for a typo.
func (l *loader) checkEnvironment() {
	for _, variable := range l.environment {
		name, value, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, variablePrefix) || value == "" || l.variables[name] || foreign.MatchString(name) {
			continue
		}
		if !variableName.MatchString(name) {
			name = variablePrefix + "…"
		}
		message := "This variable is no setting's. Unset it."
		if near := pim.Nearest(name, slices.Sorted(maps.Keys(l.variables))); len(near) > 0 {
			message = "This variable is no setting's. Unset it, or did you mean " + strings.Join(near, " or ") + "?"
		}
		l.mistakes = append(l.mistakes, Mistake{Variable: name, Message: message + " Keys inside lists have none."})
	}
}
