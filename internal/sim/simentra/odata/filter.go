package odata

import (
	"strings"
	"time"
)

// A Filter is a parsed $filter.
type Filter interface {
	// Match reports whether the entity satisfies the filter.
	Match(entity map[string]any) bool
}

type conjunction []Filter

func (c conjunction) Match(entity map[string]any) bool {
	for _, f := range c {
		if !f.Match(entity) {
			return false
		}
	}
	return true
}

type disjunction []Filter

func (d disjunction) Match(entity map[string]any) bool {
	for _, f := range d {
		if f.Match(entity) {
			return true
		}
	}
	return false
}

type negation struct{ of Filter }

func (n negation) Match(entity map[string]any) bool { return !n.of.Match(entity) }

// A comparison is `path op value`, or startswith(path,value) with op "startswith".
type comparison struct {
	path, op string
	value    any
}

func (c comparison) Match(entity map[string]any) bool {
	found := lookup(entity, strings.Split(c.path, "/"))
	switch c.op {
	case "eq":
		return equal(found, c.value)
	case "ne":
		return !equal(found, c.value)
	case "startswith":
		have, _ := found.(string)
		want, _ := c.value.(string)
		return len(have) >= len(want) && strings.EqualFold(have[:len(want)], want)
	}
	return ordered(found, c.op, c.value)
}

// An anyOf is `path/any(variable:filter)`.
type anyOf struct {
	path, variable string
	filter         Filter
}

func (a anyOf) Match(entity map[string]any) bool {
	list, _ := lookup(entity, strings.Split(a.path, "/")).([]any)
	for _, item := range list {
		if a.filter.Match(map[string]any{a.variable: item}) {
			return true
		}
	}
	return false
}

func lookup(value any, path []string) any {
	for _, name := range path {
		m, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = property(m, name)
	}
	return value
}

func property(m map[string]any, name string) any {
	if v, ok := m[name]; ok {
		return v
	}
	for key, v := range m {
		if strings.EqualFold(key, name) {
			return v
		}
	}
	return nil
}

// equal compares as the directory does: text without regard to case.
func equal(have, want any) bool {
	h, hok := have.(string)
	w, wok := want.(string)
	if hok && wok {
		return strings.EqualFold(h, w)
	}
	return have == want
}

func ordered(have any, op string, want any) bool {
	h, hok := instant(have)
	w, wok := instant(want)
	if !hok || !wok {
		return false
	}
	switch op {
	case "ge":
		return !h.Before(w)
	case "gt":
		return h.After(w)
	case "le":
		return !h.After(w)
	default:
		return h.Before(w)
	}
}

func instant(v any) (time.Time, bool) {
	text, _ := v.(string)
	t, err := time.Parse(time.RFC3339Nano, text)
	return t, err == nil
}

// Alternatives counts the most clauses that are joined by or in one place of the filter; those of an in count too.
func Alternatives(f Filter) int {
	switch node := f.(type) {
	case disjunction:
		return alternatives(node, len(node))
	case conjunction:
		return alternatives(node, 1)
	case negation:
		return Alternatives(node.of)
	case nil:
		return 0
	}
	return 1
}

func alternatives(parts []Filter, most int) int {
	for _, part := range parts {
		most = max(most, Alternatives(part))
	}
	return most
}

// Paths lists the properties that a filter compares; those of a list's items stand behind the list.
func Paths(f Filter) []string {
	var out []string
	for _, leaf := range leaves(f) {
		out = append(out, leaf.path)
	}
	return out
}

// Operators returns the operators of the filter: eq, ge, startswith, "not" for what is negated.
func Operators(f Filter) []string {
	var out []string
	for _, leaf := range leaves(f) {
		out = append(out, leaf.op)
	}
	return out
}

// leaves are the comparisons in a filter, with whole paths.
func leaves(f Filter) []comparison {
	var out []comparison
	switch node := f.(type) {
	case comparison:
		return []comparison{node}
	case disjunction:
		for _, part := range node {
			out = append(out, leaves(part)...)
		}
	case conjunction:
		for _, part := range node {
			out = append(out, leaves(part)...)
		}
	case negation:
		for _, leaf := range leaves(node.of) {
			leaf.op = "not"
			out = append(out, leaf)
		}
	case anyOf:
		for _, leaf := range leaves(node.filter) {
			leaf.path = node.path + strings.TrimPrefix(leaf.path, node.variable)
			out = append(out, leaf)
		}
	}
	return out
}

// Equals returns the text that the filter demands path to be equal to, if every match has to be.
func Equals(f Filter, path string) (string, bool) {
	switch node := f.(type) {
	case comparison:
		text, ok := node.value.(string)
		return text, ok && node.op == "eq" && strings.EqualFold(node.path, path)
	case conjunction:
		for _, part := range node {
			if text, ok := Equals(part, path); ok {
				return text, true
			}
		}
	}
	return "", false
}
