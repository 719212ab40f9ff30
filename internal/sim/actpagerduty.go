package sim

import (
	"fmt"
	"slices"
	"strings"

	"elevate/internal/sim/simpagerduty"
)

// onCallFirst is who is on call when a sandbox begins.
const onCallFirst = "carol"

// actPagerDuty changes who is on call, or says how often PagerDuty was called.
func (s *Sandbox) actPagerDuty(words []string) (Result, error) {
	switch {
	case slices.Equal(words, []string{"calls"}):
		return Result{Text: fmt.Sprintf("%d calls", s.PagerDuty.Calls())}, nil
	case len(words) < 2 || words[0] != "on-call":
		return Result{}, unknown(append([]string{"pagerduty"}, words...))
	case slices.Equal(words[1:], []string{"nobody"}):
		s.PagerDuty.SetOnCall()
		return Result{Text: "nobody is on call"}, nil
	}
	for _, key := range words[1:] {
		if _, known := s.cast.Person(key); !known {
			return Result{}, s.nobody(key)
		}
	}
	s.PagerDuty.SetOnCall(s.inPagerDuty(words[1:]...)...)
	return Result{Text: "on call: " + strings.Join(words[1:], ", ")}, nil
}

// inPagerDuty are people as PagerDuty knows them: by the address that they sign in with, where they have an account.
func (s *Sandbox) inPagerDuty(keys ...string) []simpagerduty.Person {
	var people []simpagerduty.Person
	for _, key := range keys {
		p, known := s.cast.Person(key)
		if !known {
			continue
		}
		email := p.UPN
		if email == "" {
			email = key + "@elsewhere.example"
		}
		people = append(people, simpagerduty.Person{ID: "P" + strings.ToUpper(key), Name: p.DisplayName, Email: email})
	}
	return people
}
