package sim

import (
	"errors"
	"fmt"
	"strings"
)

// clauses splits words at keywords; what stands before the first belongs to the empty one.
func clauses(words []string, keywords ...string) map[string][]string {
	said := map[string][]string{}
	current := ""
	for _, word := range words {
		isKeyword := false
		for _, k := range keywords {
			isKeyword = isKeyword || word == k
		}
		if _, twice := said[word]; isKeyword && !twice && current != "reason" {
			current = word
			said[current] = nil
			continue
		}
		said[current] = append(said[current], word)
	}
	return said
}

// options takes the assignments out of a label's words.
func options(words []string) (string, map[string]string, error) {
	var label, assigned []string
	for _, word := range words {
		if strings.Contains(word, "=") {
			assigned = append(assigned, word)
		} else {
			label = append(label, word)
		}
	}
	values, err := assignments(assigned)
	if len(label) == 0 {
		err = errors.New("say which button")
	}
	return strings.Join(label, " "), values, err
}

// assignments reads FIELD=VALUE; words without an equals sign belong to the value before them.
func assignments(words []string) (map[string]string, error) {
	values := map[string]string{}
	last := ""
	for _, word := range words {
		field, value, ok := strings.Cut(word, "=")
		switch {
		case ok:
			last = field
			values[field] = strings.Trim(value, `"`)
		case last == "":
			return nil, fmt.Errorf("%q is no FIELD=VALUE", word)
		default:
			values[last] = strings.Trim(values[last]+" "+word, `"`)
		}
	}
	return values, nil
}
