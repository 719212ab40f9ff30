package config

import (
	"reflect"
	"strconv"
	"time"

	"elevate/internal/pim"
	"elevate/internal/secret"
)

// maxPattern caps a ticket's pattern, in characters.
const maxPattern = 200

// setScalar reads a text as what the setting is. It returns what is wrong as the rest of a sentence that begins with the
// key, or nothing.
func setScalar(into reflect.Value, text string) string {
	switch {
	case into.Type() == secretType:
		into.Set(reflect.ValueOf(secret.New(text)))
	case into.Type() == durationType:
		return setDuration(into, text)
	case into.Type() == patternType:
		return setPattern(into, text)
	case into.Kind() == reflect.Bool:
		return setBool(into, text)
	default:
		into.SetString(text)
	}
	return ""
}

func setDuration(into reflect.Value, text string) string {
	length, err := time.ParseDuration(text)
	if err != nil {
		return "is not a duration. Write hours and minutes, as in 8h, 90m or 1h30m."
	}
	if length < 0 {
		return "is a negative duration. Write a positive one, as in 8h or 90m."
	}
	into.SetInt(int64(length))
	return ""
}

// setBool is as strict as YAML 1.2: no yes, no, on, off or 1, which mean something else to other readers.
func setBool(into reflect.Value, text string) string {
	value, err := strconv.ParseBool(text)
	if err != nil || text != strconv.FormatBool(value) {
		return "must be true or false."
	}
	into.SetBool(value)
	return ""
}

// setPattern compiles an RE2 expression that has to match a word as a whole.
func setPattern(into reflect.Value, text string) string {
	if text == "" {
		return ""
	}
	if len([]rune(text)) > maxPattern {
		return "is longer than 200 characters. Write a shorter pattern."
	}
	pattern, err := pim.NewTicketPattern(text)
	if err != nil {
		return `is not a regular expression that Go can read (RE2). Write one like ^INC-\d+$ in single quotes.`
	}
	into.Set(reflect.ValueOf(pattern))
	return ""
}
