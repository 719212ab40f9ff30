package simentra

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"elevate/internal/sim/cast"
)

func (s *Server) accessLife() time.Duration {
	if s.behavior.AccessTokenLife > 0 {
		return s.behavior.AccessTokenLife
	}
	return 75 * time.Minute
}

// accessClaims are what app tokens and people's tokens share. Their times are the machine's, see the package comment.
func (s *Server) accessClaims(a *app, capabilities []string) jwt.MapClaims {
	machine := s.machine()
	claims := jwt.MapClaims{
		"aud": cast.GraphAppID, "iss": "https://sts.windows.net/" + s.tenantID + "/", "tid": s.tenantID, "ver": "1.0",
		"iat": machine.Unix(), "nbf": machine.Add(-5 * time.Minute).Unix(), "exp": machine.Add(s.accessLife()).Unix(),
		"appid": a.ClientID, "azp": a.ClientID, "app_displayname": a.Name, "uti": random(11),
	}
	if len(capabilities) > 0 {
		claims["xms_cc"] = capabilities
	}
	return claims
}

// appClaims are those of an application's own tokens.
func (s *Server) appClaims(a *app, wish claimsRequest) jwt.MapClaims {
	claims := s.accessClaims(a, wish.capabilities)
	claims["idtyp"] = "app"
	claims["oid"] = a.ServicePrincipalID
	claims["sub"] = a.ServicePrincipalID
	claims["appidacr"] = "1"
	return claims
}

func (s *Server) appAnswer(a *app, wish claimsRequest) (map[string]any, *loginError) {
	claims := s.appClaims(a, wish)
	if len(a.Application) > 0 {
		claims["roles"] = a.Application
	}
	return s.tokenAnswer(claims)
}

// tokenAnswer is the token endpoint's answer for an application.
func (s *Server) tokenAnswer(claims jwt.MapClaims) (map[string]any, *loginError) {
	raw, e := s.mint(claims)
	if e != nil {
		return nil, e
	}
	life := int(s.accessLife().Seconds())
	return map[string]any{"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": raw}, nil
}

// personAnswer is the token endpoint's answer for somebody who signed in.
func (s *Server) personAnswer(g *grant, scopes scopeSet, now time.Time) (map[string]any, *loginError) {
	access, e := s.mint(s.personClaims(g))
	if e != nil {
		return nil, e
	}
	life := int(s.accessLife().Seconds())
	out := map[string]any{
		"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": access,
		"scope": s.grantedText(g, scopes), "client_info": clientInfo(g.person, s.tenantID),
	}
	if slices.Contains(scopes.oidc, "openid") {
		if out["id_token"], e = s.mint(s.idClaims(g, scopes, now)); e != nil {
			return nil, e
		}
	}
	if slices.Contains(scopes.oidc, "offline_access") {
		out["refresh_token"] = s.newRefresh(g, scopes)
	}
	return out, nil
}

func (s *Server) newRefresh(g *grant, scopes scopeSet) string {
	kept := *g
	kept.scopes, kept.nonce, kept.redeemed = scopes, "", false
	kept.expires = s.machine().Add(refreshLife)
	id := "1." + random(48)
	s.login.refresh[id] = &kept
	return id
}

// personClaims puts everything that was consented to into scp, not only what was asked for, as Entra does.
func (s *Server) personClaims(g *grant) jwt.MapClaims {
	claims := s.accessClaims(g.app, g.claims.capabilities)
	claims["idtyp"] = "user"
	claims["oid"] = g.person.ObjectID
	claims["sub"] = pairwise(g.person, cast.GraphAppID)
	claims["name"] = g.person.DisplayName
	claims["upn"] = g.person.UPN
	claims["scp"] = strings.Join(without(g.app.delegatedTo(g.person), "offline_access"), " ")
	claims["amr"] = g.signIn.methods()
	claims["aio"] = strconv.Itoa(s.nextNumber()) // opaque to everybody but the service
	if len(g.signIn.acrs) > 0 {
		claims["acrs"] = g.signIn.acrs
	}
	return claims
}

func (si signIn) methods() []string {
	if si.mfa {
		return []string{"pwd", "mfa"}
	}
	return []string{"pwd"}
}

// idClaims leaves nbf out: a reader would hold the movable clock's time against the machine's.
func (s *Server) idClaims(g *grant, scopes scopeSet, now time.Time) jwt.MapClaims {
	p := g.person
	claims := jwt.MapClaims{
		"iss": s.Issuer(), "aud": g.app.ClientID, "tid": s.tenantID, "ver": "2.0", "sub": pairwise(p, g.app.ClientID),
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "uti": random(11), "rh": "1." + random(8),
	}
	if slices.Contains(scopes.oidc, "profile") { // without it there is no oid either
		claims["oid"], claims["name"], claims["preferred_username"] = p.ObjectID, p.DisplayName, p.UPN
	}
	if g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	if p.HomeTenant != "" {
		claims["idp"] = "https://sts.windows.net/" + p.HomeTenant + "/"
		claims["preferred_username"] = homeAddress(p.UPN)
	}
	s.optionalClaims(claims, g)
	return claims
}

// optionalClaims are in the token only if the registration asks for them.
func (s *Server) optionalClaims(claims jwt.MapClaims, g *grant) {
	if slices.Contains(g.app.OptionalClaims, "auth_time") {
		claims["auth_time"] = g.signIn.at.Unix()
	}
	if slices.Contains(g.app.OptionalClaims, "acrs") && len(g.signIn.acrs) > 0 {
		claims["acrs"] = g.signIn.acrs
	}
	if slices.Contains(g.app.OptionalClaims, "acct") {
		claims["acct"] = 0
		if g.person.UserType == cast.Guest {
			claims["acct"] = 1
		}
	}
}

// homeAddress undoes the spelling of a guest's user principal name: gus_fabrikam.example#EXT#@… is gus@fabrikam.example.
func homeAddress(upn string) string {
	local, _, guest := strings.Cut(upn, "#EXT#")
	i := strings.LastIndex(local, "_")
	if !guest || i < 0 {
		return upn
	}
	return local[:i] + "@" + local[i+1:]
}

// pairwise is a subject that differs from app to app.
func pairwise(p *person, audience string) string {
	sum := sha256.Sum256([]byte(p.ObjectID + "|" + audience))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func clientInfo(p *person, tenant string) string {
	if p.HomeTenant != "" {
		tenant = p.HomeTenant
	}
	raw, err := json.Marshal(map[string]string{"uid": p.ObjectID, "utid": tenant})
	if err != nil { // unreachable: two strings
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// grantedText names everything that was granted, in the caller's own spelling where they spelled it: MSAL takes a scope
// that is missing here for a declined one.
func (s *Server) grantedText(g *grant, scopes scopeSet) string {
	var out []string
	for _, scope := range without(g.app.delegatedTo(g.person), "offline_access") {
		if spelled, ok := scopes.spelled[strings.ToLower(scope)]; ok {
			scope = spelled
		}
		if slices.Contains(oidcScopes, scope) && !slices.Contains(scopes.oidc, scope) {
			continue
		}
		out = append(out, scope)
	}
	if spelled, ok := scopes.spelled[".default"]; ok {
		out = append(out, spelled)
	}
	return strings.Join(out, " ")
}

func without(list []string, unwanted string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(x string) bool { return x == unwanted })
}
