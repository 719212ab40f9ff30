package simslack

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// findings collects what is wrong with blocks or a view, each with the place as a JSON pointer, in Slack's words.
type findings struct {
	list    []string
	blocks  map[string]bool // block ids so far
	tables  int
	written int // characters in markdown blocks
	modal   bool
	inputs  int
}

func (f *findings) add(at, format string, args ...any) {
	f.list = append(f.list, fmt.Sprintf(format, args...)+" [json-pointer:"+at+"]")
}

// check judges the value that stands at a place.
type check func(f *findings, at string, v any)

// characters wants a string of so many characters.
func characters(least, most int) check {
	return func(f *findings, at string, v any) {
		s, ok := v.(string)
		n := utf8.RuneCountInString(s)
		switch {
		case !ok:
			f.add(at, "must be a string")
		case n < least:
			f.add(at, "must be more than %d characters", least-1)
		case n > most:
			f.add(at, "must be less than %d characters", most+1)
		}
	}
}

// oneOf wants one of some words.
func oneOf(words ...string) check {
	return func(f *findings, at string, v any) {
		for _, w := range words {
			if v == w {
				return
			}
		}
		f.add(at, "value must be one of %v", words)
	}
}

// truth wants true or false.
func truth(f *findings, at string, v any) {
	if _, ok := v.(bool); !ok {
		f.add(at, "must be a boolean")
	}
}

// number wants a whole number within bounds.
func number(least, most int) check {
	return func(f *findings, at string, v any) {
		n, ok := v.(float64)
		if !ok || n != float64(int(n)) || int(n) < least || int(n) > most {
			f.add(at, "must be an integer between %d and %d", least, most)
		}
	}
}

// anything accepts every value; for fields whose inside is not looked at.
func anything(*findings, string, any) {}

// many wants a list of so many items that each pass a check.
func many(least, most int, each check) check {
	return func(f *findings, at string, v any) {
		items, ok := v.([]any)
		if !ok {
			f.add(at, "must be an array")
			return
		}
		if len(items) < least {
			f.add(at, "no less than %d items allowed", least)
		}
		if len(items) > most {
			f.add(at, "no more than %d items allowed", most)
			return
		}
		for i, item := range items {
			each(f, at+"/"+strconv.Itoa(i), item)
		}
	}
}

// fields are the properties of an object. A name with a question mark at its end is optional.
type fields map[string]check

// shape wants an object with these properties and no others.
func shape(allowed fields) check {
	return func(f *findings, at string, v any) {
		o, ok := v.(object)
		if !ok {
			f.add(at, "must be an object")
			return
		}
		for name, judge := range allowed {
			plain, optional := optionalName(name)
			value, there := o[plain]
			switch {
			case there && value != nil:
				judge(f, at+"/"+plain, value)
			case !optional:
				f.add(at, "missing required field: %s", plain)
			}
		}
		for name := range o {
			if allowed[name] == nil && allowed[name+"?"] == nil {
				f.add(at, "invalid additional property: %s", name)
			}
		}
	}
}

func optionalName(name string) (string, bool) {
	if last := len(name) - 1; name[last] == '?' {
		return name[:last], true
	}
	return name, false
}

// byType wants an object whose type is one of those that may stand here.
func byType(kinds map[string]check) check {
	return func(f *findings, at string, v any) {
		o, ok := v.(object)
		if !ok {
			f.add(at, "must be an object")
			return
		}
		judge := kinds[text(o["type"])]
		if judge == nil {
			f.add(at+"/type", "unsupported type: %s", text(o["type"]))
			return
		}
		judge(f, at, v)
	}
}
