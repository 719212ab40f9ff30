package pim

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// The bounds of guessing: how far a word may be from one that exists, and how
// long it may be to be guessed at.
const (
	maxTypos  = 2
	maxGuess  = 40
	maxOffers = 3
)

// unknown says that a word is no role, and with verbs no verb either, and
// which one may have been meant.
func unknown(word string, roles Roles, verbs bool) error {
	var names []string
	for _, r := range roles {
		names = append(names, r.Name)
	}
	what := "There is no such role."
	if verbs {
		what = "There is no such role or command."
		for _, v := range Verbs() {
			names = append(names, string(v))
		}
	}
	if near := Nearest(word, names); len(near) > 0 {
		return Errorf(NotFound, "%s Did you mean %s? /elevate help says what can be typed.", what, strings.Join(near, " or "))
	}
	return Errorf(NotFound, "%s /elevate roles lists your roles, /elevate help says what can be typed.", what)
}

// Nearest returns the names with the fewest typos, at most two, or else those
// that begin with the word; none for a word too short or too long to guess at.
func Nearest(word string, names []string) []string {
	word = strings.ToLower(word)
	length := utf8.RuneCountInString(word)
	if length < 2 || length > maxGuess {
		return nil
	}
	var near, begin []string
	best := min(maxTypos, max(1, length/3))
	for _, name := range names {
		low := strings.ToLower(name)
		if strings.HasPrefix(low, word) {
			begin = append(begin, name)
		}
		switch d := distance([]rune(word), []rune(low)); {
		case d < best:
			near, best = []string{name}, d
		case d == best:
			near = append(near, name)
		}
	}
	if len(near) == 0 {
		near = begin
	}
	return slices.Clip(near[:min(len(near), maxOffers)])
}

// distance is Levenshtein's: how many letters must be put in, taken out or changed.
func distance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range a {
		corner := row[0]
		row[0] = i + 1
		for j, y := range b {
			change := corner
			if x != y {
				change++
			}
			corner = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
