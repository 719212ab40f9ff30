package simentra

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// A loginError is an error of the sign-in service.
type loginError struct {
	status   int
	kind     string // OAuth's error
	code     int    // AADSTS number
	text     string
	suberror string
	claims   string
}

func (e loginError) Error() string { return fmt.Sprintf("AADSTS%d: %s", e.code, e.text) }

// with fills the blanks of the text.
func (e loginError) with(values ...any) *loginError {
	if len(values) > 0 {
		e.text = fmt.Sprintf(e.text, values...)
	}
	return &e
}

// The errors of the sign-in service, with Entra's numbers and (shortened) texts.
var (
	errUnknownTenant   = loginError{400, "invalid_request", 90002, "Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.", "", ""}
	errMissing         = loginError{400, "invalid_request", 900144, "The request body must contain the following parameter: '%s'.", "", ""}
	errUnknownApp      = loginError{400, "unauthorized_client", 700016, "Application with identifier '%s' was not found in the directory.", "", ""}
	errRedirect        = loginError{400, "invalid_request", 50011, "The redirect URI '%s' specified in the request does not match the redirect URIs configured for the application '%s'.", "", ""}
	errSecret          = loginError{401, "invalid_client", 7000215, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '%s'.", "", ""}
	errSecretEnded     = loginError{401, "invalid_client", 7000222, "The provided client secret keys for app '%s' are expired. Visit the Azure portal to create new keys for your app, or consider using certificate credentials for added security.", "", ""}
	errNoSecret        = loginError{401, "invalid_client", 7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.", "", ""}
	errPublicSecret    = loginError{401, "invalid_client", 700025, "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.", "", ""}
	errAssertion       = loginError{401, "invalid_client", 700027, "The certificate with identifier used to sign the client assertion is not registered on application, or the assertion is not valid.", "", ""}
	errResponseType    = loginError{400, "unsupported_response_type", 700054, "response_type '%s' is not enabled for the application.", "", ""}
	errResource        = loginError{400, "invalid_resource", 500011, "The resource principal named %s was not found in the tenant.", "", ""}
	errScope           = loginError{400, "invalid_scope", 650053, "The application asked for scope '%s' that doesn't exist on the resource '00000003-0000-0000-c000-000000000000'.", "", ""}
	errMixedDefault    = loginError{400, "invalid_scope", 70011, "The provided value for the input parameter 'scope' is not valid. .default scope can't be combined with resource-specific scopes.", "", ""}
	errDefaultOnly     = loginError{400, "invalid_scope", 1002012, "The provided value for scope %s is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier.", "", ""}
	errConsent         = loginError{400, "invalid_grant", 65001, "The user or administrator has not consented to use the application with ID '%s' named '%s'. Send an interactive authorization request for this user and resource.", "consent_required", ""}
	errAdminConsent    = loginError{400, "consent_required", 90094, "%s needs permission to access resources in your organization that only an admin can grant. Please ask an admin to grant permission to this app before you can use it.", "", ""}
	errDeclined        = loginError{400, "access_denied", 65004, "User declined to consent to access the app.", "", ""}
	errCanceled        = loginError{400, "access_denied", 50199, "The user canceled the authentication.", "", ""}
	errPreauthorized   = loginError{400, "invalid_request", 65002, "Consent between first party application '%s' and first party resource '00000003-0000-0000-c000-000000000000' must be configured via preauthorization - applications owned and operated by Microsoft must get approval from the API owner before requesting tokens for that API.", "", ""}
	errNotAssigned     = loginError{400, "invalid_grant", 50105, "Your administrator has configured the application %s ('%s') to block users unless they are specifically granted ('assigned') access to the application. The signed in user '%s' is blocked because they are not a direct member of a group with access, nor had access directly assigned by an administrator.", "", ""}
	errDisabled        = loginError{400, "invalid_grant", 50057, "The user account is disabled.", "", ""}
	errUnknownUser     = loginError{400, "invalid_grant", 50034, "The user account %s does not exist in the directory.", "", ""}
	errLoginRequired   = loginError{400, "login_required", 50058, "A silent sign-in request was sent but no user is signed in.", "", ""}
	errSelectAccount   = loginError{400, "interaction_required", 16000, "Either multiple user identities are available for the current request or selected account is not supported for the scenario.", "", ""}
	errRevoked         = loginError{400, "invalid_grant", 50173, "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password.", "bad_token", ""}
	errMFA             = loginError{400, "invalid_grant", 50076, "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '00000003-0000-0000-c000-000000000000'.", "basic_action", ""}
	errStepUp          = loginError{400, "invalid_grant", 50076, "Due to a configuration change made by your administrator, you must satisfy an authentication context to access '00000003-0000-0000-c000-000000000000'.", "basic_action", ""}
	errCodeRedeemed    = loginError{400, "invalid_grant", 54005, "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.", "", ""}
	errCodeExpired     = loginError{400, "invalid_grant", 70008, "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.", "", ""}
	errCodeUnknown     = loginError{400, "invalid_grant", 9002313, "Invalid request. Request is malformed or invalid.", "", ""}
	errCodeClient      = loginError{400, "invalid_grant", 700005, "Provided Authorization Code is intended to use against other tenant or application, thus rejected.", "", ""}
	errVerifier        = loginError{400, "invalid_grant", 501481, "The Code_Verifier does not match the code_challenge supplied in the authorization request.", "", ""}
	errVerifierMissing = loginError{400, "invalid_grant", 50148, "The code_verifier does not match the code_challenge supplied in the authorization request for PKCE.", "", ""}
	errChallenge       = loginError{400, "invalid_request", 501491, "Invalid size of Code_Challenge parameter.", "", ""}
	errChallengeMethod = loginError{400, "invalid_request", 501492, "Code_challenge_method '%s' is not supported.", "", ""}
	errTokenRedirect   = loginError{400, "invalid_grant", 500112, "The reply address '%s' does not match the reply address '%s' provided when requesting Authorization code.", "", ""}
	errGrantType       = loginError{400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type '%s'.", "", ""}
	errPending         = loginError{400, "authorization_pending", 70016, "OAuth 2.0 device flow error. Authorization is pending. Continue polling.", "", ""}
	errDeviceExpired   = loginError{400, "expired_token", 70020, "The provided value for the input parameter 'device_code' is not valid. This device code has expired.", "", ""}
	errDeviceCode      = loginError{400, "bad_verification_code", 70019, "Verification code expired or unknown.", "", ""}
	errClaims          = loginError{400, "invalid_request", 500132, "The claims parameter is not valid JSON.", "", ""}
	errInternal        = loginError{500, "server_error", 90033, "A transient error has occurred. Please try again.", "", ""}
)

// body is the error as the token endpoint prints it.
func (e *loginError) body(machine time.Time, correlation string) map[string]any {
	trace := newGUID()
	stamp := machine.UTC().Format("2006-01-02 15:04:05Z")
	b := map[string]any{
		"error": e.kind,
		"error_description": fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s",
			e.code, e.text, trace, correlation, stamp),
		"error_codes": []int{e.code}, "timestamp": stamp, "trace_id": trace, "correlation_id": correlation,
		"error_uri": "https://login.microsoftonline.com/error?code=" + strconv.Itoa(e.code),
	}
	if e.suberror != "" {
		b["suberror"] = e.suberror
	}
	if e.claims != "" {
		b["claims"] = e.claims
	}
	return b
}

func (s *Server) writeLoginError(w http.ResponseWriter, r *http.Request, e *loginError) {
	correlation := r.Header.Get("Client-Request-Id")
	if correlation == "" {
		correlation = newGUID()
	}
	writeJSON(w, e.status, e.body(s.machine(), correlation))
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	raw, err := json.Marshal(body)
	if err != nil { // unreachable: bodies are maps of plain values
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store, no-cache")
	w.WriteHeader(status)
	_, _ = w.Write(raw) // the caller may have gone; nobody is left to tell
}
