package config

import (
	"reflect"
	"strings"
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
