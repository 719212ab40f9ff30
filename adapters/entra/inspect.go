package entra

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"elevate/internal/pim"
	"elevate/internal/secret"
)

// ReadPermissions are the application permissions that Elevate needs, all of them to read.
func ReadPermissions() []string {
	return []string{
		"AuditLog.Read.All", "GroupMember.Read.All", "PrivilegedAssignmentSchedule.Read.AzureADGroup",
		"PrivilegedEligibilitySchedule.Read.AzureADGroup", "RoleManagementPolicy.Read.AzureADGroup", "User.Read.All",
	}
}

// PolicyPermission stands in for RoleManagementPolicy.Read.AzureADGroup where Graph refuses that one. It only reads, too.
const PolicyPermission = "RoleManagement.Read.All"

// Permissions returns the application permissions that an administrator has granted to the bot's own registration, as they
// stand in its token. The token is Elevate's own and is not checked: nothing is decided by it.
// https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
func (c *Client) Permissions(ctx context.Context) ([]string, error) {
	token, err := c.app.GetToken(ctx, policy.TokenRequestOptions{Scopes: c.scopes})
	if err != nil {
		return nil, err
	}
	unreadable := pim.Errorf(pim.Internal, "The token that Microsoft Entra gave cannot be read.")
	parts := strings.Split(token.Token, ".")
	if len(parts) != 3 {
		return nil, unreadable
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		Roles []string `json:"roles"`
	}
	if err != nil || json.Unmarshal(raw, &claims) != nil {
		return nil, unreadable
	}
	slices.Sort(claims.Roles)
	return claims.Roles, nil
}

// Clock is the time by Graph's clock.
func (c *Client) Clock(ctx context.Context) (time.Time, error) { return c.graphNow(ctx) }

var aadsts = regexp.MustCompile(`AADSTS\d+`)

// RedirectRegistered says whether a registration has a redirect address: nil, an error of kind Administered, or one that
// says why it is not known. It asks the authorize page for a sign-in without a person, which a registered address is told of.
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
func RedirectRegistered(ctx context.Context, transport http.RoundTripper, authority, tenant, clientID, redirect string) error {
	unknown := pim.Errorf(pim.Unavailable, "Microsoft Entra did not say whether the redirect address is registered.")
	asks := authority + "/" + tenant + "/oauth2/v2.0/authorize?" + url.Values{
		"client_id": {clientID}, "response_type": {"code"}, "redirect_uri": {redirect}, "scope": {"openid"}, "prompt": {"none"}, "state": {"doctor"},
		"code_challenge": {strings.Repeat("A", 43)}, "code_challenge_method": {"S256"}, "nonce": {"doctor"}, "response_mode": {"query"},
	}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, asks, http.NoBody)
	if err != nil {
		return unknown
	}
	client := &http.Client{Transport: transport, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return unknown // the error holds the address
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := readCapped(resp.Body)
	at, located := resp.Header.Get("Location"), resp.StatusCode/100 == 3
	switch number := aadsts.FindString(string(body)); {
	case located && (at == redirect || strings.HasPrefix(at, redirect+"?")):
		return nil
	case err == nil && number == "AADSTS50011":
		return pim.Errorf(pim.Administered, "The registration does not have the redirect address %s.", redirect)
	case err == nil && number == "AADSTS700016":
		return pim.Errorf(pim.Administered, "The tenant does not have an application %s.", clientID)
	}
	return unknown
}

// CertificateEnds says until when a certificate is valid, PEM or PFX.
func CertificateEnds(certificate secret.Text) (time.Time, error) {
	certs, _, err := azidentity.ParseCertificates([]byte(certificate.Reveal()), nil)
	if err != nil || len(certs) == 0 {
		return time.Time{}, errors.New("the certificate cannot be read") // a parser's error may quote the key
	}
	return certs[0].NotAfter, nil
}
