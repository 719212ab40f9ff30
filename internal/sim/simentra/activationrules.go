package simentra

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	kindActivated = "activated"
	kindAssigned  = "Assigned"

	// shortest is both the shortest activation and the time before which one cannot be ended by hand.
	shortest = 5 * time.Minute
)

// checkActivation applies PIM's rules in its order: the policy, the authentication context, what exists already.
func (s *Server) checkActivation(who actor, in submission, w window, p *policy, now time.Time) *graphError {
	if e := failed(s.activationFailures(who, in, w, p, now)); e != nil {
		return e
	}
	if end := w.endFrom(w.start); !end.IsZero() && end.Sub(w.start) < shortest {
		return errTooShort.with("")
	}
	if value := p.authContext(); value != "" && !who.satisfies(value) {
		return acrsChallenge(value)
	}
	at := slot{in.GroupID, in.PrincipalID, in.AccessID}
	if s.running(at, kindActivated) != nil {
		return errExists.with("")
	}
	return s.checkOpen(at, w)
}

// activationFailures names every rule that is broken, not only the first.
func (s *Server) activationFailures(who actor, in submission, w window, p *policy, now time.Time) []string {
	const enablement = "Enablement_EndUser_Assignment"
	var rules []string
	if s.eligibilityOf(in.GroupID, in.PrincipalID, in.AccessID, now) == nil {
		rules = append(rules, "EligibilityRule")
	}
	if p.tooLong("Expiration_EndUser_Assignment", w) {
		rules = append(rules, "ExpirationRule")
	}
	if p.enabled(enablement, "Justification") && strings.TrimSpace(in.Justification) == "" {
		rules = append(rules, "JustificationRule")
	}
	if number, _ := in.TicketInfo.TicketNumber.(string); p.enabled(enablement, "Ticketing") && number == "" {
		rules = append(rules, "TicketingRule")
	}
	if p.enabled(enablement, "MultiFactorAuthentication") && !who.mfa {
		rules = append(rules, "MfaRule")
	}
	return rules
}

func (p *policy) adminFailures(in submission, w window) []string {
	var rules []string
	if p.tooLong("Expiration_Admin_Assignment", w) {
		rules = append(rules, "ExpirationRule")
	}
	if p.enabled("Enablement_Admin_Assignment", "Justification") && strings.TrimSpace(in.Justification) == "" {
		rules = append(rules, "JustificationRule")
	}
	return rules
}

func (p *policy) tooLong(rule string, w window) bool {
	limit, required := p.longest(rule)
	end := w.endFrom(w.start)
	if end.IsZero() {
		return required
	}
	return required && end.Sub(w.start) > limit
}

func failed(rules []string) *graphError {
	if len(rules) == 0 {
		return nil
	}
	list, err := json.Marshal(rules)
	if err != nil { // unreachable: plain strings
		return errInvalidRequest.with("")
	}
	return errRules.with("The following policy rules failed: " + string(list))
}

// satisfies wants the capability besides the context: without cp1 PIM goes on asking.
func (who actor) satisfies(context string) bool {
	return who.cp1 && slices.Contains(who.acrs, context)
}

func acrsChallenge(value string) *graphError {
	claims := `{"access_token":{"acrs":{"essential":true, "value":"` + value + `"}}}`
	return errAcrs.with("&claims=" + strings.ReplaceAll(url.QueryEscape(claims), "+", "%20"))
}

// checkOpen refuses a second request beside one that is pending, or scheduled for an overlapping time (by the minute).
func (s *Server) checkOpen(at slot, w window) *graphError {
	for _, r := range s.pim.open[at] {
		if r.action != "selfActivate" {
			continue
		}
		if r.status == statusPending {
			return errPendingRequest.with("")
		}
		if w.overlaps(r.window) {
			return errOverlaps.with("")
		}
	}
	return nil
}

func (w window) overlaps(other window) bool {
	from, to := w.start.Truncate(time.Minute), w.endFrom(w.start)
	otherFrom, otherTo := other.start.Truncate(time.Minute), other.endFrom(other.start)
	return (otherTo.IsZero() || from.Before(otherTo)) && (to.IsZero() || otherFrom.Before(to))
}
