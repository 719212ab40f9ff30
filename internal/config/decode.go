package config

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"

	"elevate/internal/pim"
	"elevate/internal/secret"
)

var (
	secretType   = reflect.TypeFor[secret.Text]()
	durationType = reflect.TypeFor[time.Duration]()
	patternType  = reflect.TypeFor[*pim.TicketPattern]()
)

// defaulter is a section that is not all zero when nothing is said.
type defaulter interface{ setDefaults() }

// setting is one field of a section, by its key.
type setting struct {
	key   string
	field reflect.StructField
	value reflect.Value
}

// settings lists the fields of a section, those of inlined sections among them.
func settings(of reflect.Value) []setting {
	var found []setting
	for i := range of.NumField() {
		field := of.Type().Field(i)
		key, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		switch {
		case field.Anonymous:
			found = append(found, settings(of.Field(i))...)
		case key != "-":
			found = append(found, setting{key, field, of.Field(i)})
		}
	}
	return found
}

func isScalar(t reflect.Type) bool {
	return t == secretType || t == patternType || t.Kind() == reflect.String || t.Kind() == reflect.Bool || t == durationType
}

func (l *loader) decode(path string, into reflect.Value, from node) {
	switch {
	case from.kind == odd:
		l.failToRead(path, "uses a YAML anchor, alias or tag. Write the value out.")
	case from.kind == empty:
		l.failToRead(path, "has no value. Write one, or remove the key.")
	case isScalar(into.Type()):
		l.decodeScalar(path, into, from)
	case into.Kind() == reflect.Slice:
		l.decodeList(path, into, from)
	case into.Kind() == reflect.Pointer:
		into.Set(fresh(into.Type().Elem()))
		l.decodeSection(path, into.Elem(), from)
	default:
		l.decodeSection(path, into, from)
	}
}

// fresh makes a section with its defaults.
func fresh(of reflect.Type) reflect.Value {
	made := reflect.New(of)
	if section, ok := reflect.TypeAssert[defaulter](made); ok {
		section.setDefaults()
	}
	return made
}

func (l *loader) decodeSection(path string, into reflect.Value, from node) {
	if from.kind != section {
		l.failToRead(path, "must be a section with keys of its own: %s.", keys(into))
		return
	}
	known := map[string]setting{}
	for _, s := range settings(into) {
		known[s.key] = s
	}
	seen := map[string]bool{}
	for _, p := range from.pairs {
		s, ok := known[p.key]
		switch {
		case !ok:
			l.failKey(path, p, fmt.Sprintf("is not a setting. Known here: %s.", keys(into)))
		case seen[p.key]:
			l.failKey(path, p, "is there twice. Remove one of the two.")
		default:
			seen[p.key] = true
			l.where[join(path, p.key)] = p.value.at
			if p.value.kind == empty {
				l.where[join(path, p.key)] = p.at
			}
			l.decode(join(path, p.key), s.value, p.value)
		}
	}
}

// plainKey is a key that can be repeated in a message: a secret pasted into the wrong place does not look like it.
var plainKey = regexp.MustCompile(`^[a-z_]{1,40}$`)

func (l *loader) failKey(path string, p pair, sentence string) {
	name := "This key"
	if plainKey.MatchString(p.key) {
		name = join(path, p.key)
	}
	l.mistakes = append(l.mistakes, Mistake{
		Line: p.at.line, Column: p.at.column, Key: join(path, strings.TrimPrefix(name, "This key")), Message: name + " " + sentence,
	})
}

func keys(of reflect.Value) string {
	var names []string
	for _, s := range settings(of) {
		names = append(names, s.key)
	}
	return strings.Join(names, ", ")
}

func (l *loader) decodeList(path string, into reflect.Value, from node) {
	if from.kind != list {
		l.failToRead(path, "must be a list. Begin each item with a dash, or put them into [ ].")
		return
	}
	for i, item := range from.items {
		at := fmt.Sprintf("%s[%d]", path, i)
		l.where[at] = item.at
		made := fresh(into.Type().Elem()).Elem()
		l.decode(at, made, item)
		into.Set(reflect.Append(into, made))
	}
}

func (l *loader) decodeScalar(path string, into reflect.Value, from node) {
	if from.kind == section || from.kind == list {
		l.failToRead(path, "must be a single value.")
		return
	}
	if into.Type() == secretType {
		l.decodeReference(path, from.text)
		return
	}
	if into.Kind() == reflect.String && from.kind == boolean {
		l.failToRead(path, "must be a text. Put it into quotes.")
		return
	}
	if wrong := setScalar(into, from.text); wrong != "" {
		l.failToRead(path, "%s", wrong)
	}
}
