package simteams

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// matches says whether a person's word for an input means this one: its id, or the beginning of its label or hint.
func matches(input object, word string) bool {
	word = strings.ToLower(word)
	if word == "" {
		return false
	}
	if strings.EqualFold(text(input["id"]), word) {
		return true
	}
	for _, key := range []string{"label", "placeholder", "title"} {
		if strings.HasPrefix(strings.ToLower(text(input[key])), word) {
			return true
		}
	}
	return false
}

// values is what is sent along with a button: what the person gave, else what the card puts there.
func values(inputs []object, given map[string]string) (object, error) {
	filled := object{}
	used := map[string]bool{}
	for _, input := range inputs {
		value, sent := initial(input)
		for word, typed := range given {
			if !matches(input, word) {
				continue
			}
			var err error
			if value, err = enter(input, typed); err != nil {
				return nil, err
			}
			sent, used[word] = true, true
		}
		if sent {
			filled[text(input["id"])] = value
		}
	}
	for word := range given {
		if !used[word] {
			return nil, fmt.Errorf("there is no input %q, only %s", word, strings.Join(labels(inputs), ", "))
		}
	}
	return filled, nil
}

func labels(inputs []object) []string {
	list := []string{}
	for _, input := range inputs {
		list = append(list, orElse(text(input["label"]), orElse(text(input["placeholder"]), text(input["id"]))))
	}
	return list
}

// initial is the value of an input that nobody touched, and whether clients send it.
func initial(input object) (string, bool) {
	value, given := input["value"]
	switch text(input["type"]) {
	case "Input.Toggle":
		return orElse(text(value), orElse(text(input["valueOff"]), "false")), true
	case "Input.ChoiceSet":
		return text(value), given
	case "Input.Number":
		if !given {
			return "", false
		}
		return fmt.Sprint(value), true
	}
	return text(value), true
}

// enter makes a value out of what a person typed or chose.
func enter(input object, typed string) (string, error) {
	switch text(input["type"]) {
	case "Input.Toggle":
		if strings.EqualFold(typed, "on") || strings.EqualFold(typed, "yes") || strings.EqualFold(typed, "true") {
			return orElse(text(input["valueOn"]), "true"), nil
		}
		return orElse(text(input["valueOff"]), "false"), nil
	case "Input.ChoiceSet":
		if input["isMultiSelect"] != true {
			return choose(input, typed)
		}
		var chosen []string
		for one := range strings.SplitSeq(typed, ",") {
			value, err := choose(input, strings.TrimSpace(one))
			if err != nil {
				return "", err
			}
			chosen = append(chosen, value)
		}
		return strings.Join(chosen, ","), nil
	}
	if most, ok := input["maxLength"].(float64); ok && utf8.RuneCountInString(typed) > int(most) {
		typed = string([]rune(typed)[:int(most)]) // the field takes no more
	}
	return typed, nil
}

// choose finds a choice by its value or title; the beginning of the title is enough when no other begins so.
func choose(input object, typed string) (string, error) {
	var begins, titles []string
	for _, c := range objects(input["choices"]) {
		title, value := text(c["title"]), text(c["value"])
		if value == typed || strings.EqualFold(title, typed) {
			return value, nil
		}
		if strings.HasPrefix(strings.ToLower(title), strings.ToLower(typed)) {
			begins = append(begins, value)
		}
		titles = append(titles, title)
	}
	if len(begins) == 1 {
		return begins[0], nil
	}
	return "", fmt.Errorf("there is no choice %q, only %s", typed, strings.Join(titles, " | "))
}

// complaint is what a client says of an input before it sends anything; empty when nothing is wrong.
func complaint(input object, value string) string {
	said := orElse(text(input["errorMessage"]), "Please fill in "+labels([]object{input})[0]+".")
	if value == "" {
		if input["isRequired"] == true {
			return said
		}
		return ""
	}
	shape, err := regexp.Compile(text(input["regex"]))
	if text(input["regex"]) != "" && err == nil && !shape.MatchString(value) {
		return said
	}
	return ""
}
