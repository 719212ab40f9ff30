package simentra

import (
	"encoding/json"
	"slices"
	"strings"
)

// A claimsRequest is the claims parameter of OpenID Connect, as far as Entra reads it.
type claimsRequest struct {
	capabilities []string // xms_cc
	acrs         []string
	mfa          bool
	essential    bool // something in it has to be met, whatever the browser remembers
}

type claimWish struct {
	Essential bool     `json:"essential"`
	Value     string   `json:"value"`
	Values    []string `json:"values"`
}

func (w *claimWish) all() []string {
	if w == nil {
		return nil
	}
	if w.Value != "" {
		return append([]string{w.Value}, w.Values...)
	}
	return w.Values
}

// parseClaims reads the parameter; unknown claims in it are left alone, as OpenID Connect demands.
func parseClaims(text string) (claimsRequest, *loginError) {
	var out claimsRequest
	if text == "" {
		return out, nil
	}
	var parts map[string]map[string]*claimWish
	if err := json.Unmarshal([]byte(text), &parts); err != nil {
		return out, errClaims.with()
	}
	for _, token := range []string{"access_token", "id_token"} {
		wishes := parts[token]
		out.capabilities = append(out.capabilities, lower(wishes["xms_cc"].all())...)
		out.acrs = append(out.acrs, wishes["acrs"].all()...)
		amr := wishes["amr"].all()
		out.mfa = out.mfa || slices.Contains(amr, "mfa") || slices.Contains(amr, "ngcmfa")
	}
	out.essential = len(out.acrs) > 0 || out.mfa
	return out, nil
}

func lower(values []string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = strings.ToLower(v)
	}
	return out
}

// met reports whether a sign-in already proves what is asked for.
func (c claimsRequest) met(by signIn) bool {
	if c.mfa && !by.mfa {
		return false
	}
	for _, want := range c.acrs {
		if !slices.Contains(by.acrs, want) {
			return false
		}
	}
	return true
}
