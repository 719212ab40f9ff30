package signin

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"time"

	msalerrors "github.com/AzureAD/microsoft-authentication-library-for-go/apps/errors"

	"elevate/internal/pim"
)

// An oauthError is the part of an error answer that decides what comes next. Descriptions are never shown nor logged:
// they carry addresses, names and ids.
type oauthError struct {
	Kind   string `json:"error"`
	Codes  []int  `json:"error_codes"`
	Claims string `json:"claims"`

	status int
	wait   time.Duration
}

// code is the number behind AADSTS, or 0.
func (e oauthError) code() int {
	if len(e.Codes) == 0 {
		return 0
	}
	return e.Codes[0]
}

func (e oauthError) why() string {
	why := "Entra: HTTP " + strconv.Itoa(e.status) + " " + known(e.Kind)
	if e.code() != 0 {
		why += " AADSTS" + strconv.Itoa(e.code())
	}
	return why
}

// oauthKinds are the errors of RFC 6749 and OpenID that we repeat in a log. What else an answer says stays out.
var oauthKinds = regexp.MustCompile(`^(?:access_denied|consent_required|interaction_required|invalid_(?:client|grant|request|resource|scope)|` +
	`login_required|server_error|temporarily_unavailable|unauthorized_client|unsupported_response_type)$`)

func known(kind string) string {
	if oauthKinds.MatchString(kind) {
		return kind
	}
	return "other error"
}

// entraFault turns what MSAL says into a refusal. MSAL's texts hold the address and the whole answer of the token
// endpoint, so that nothing of them is kept.
func entraFault(err error) error {
	if _, garbled := errors.AsType[msalerrors.InvalidJsonErr](err); garbled {
		return &refusal{why: "Entra: an answer that is not what it should be", err: pim.Errorf(pim.Forbidden,
			"What came back from Microsoft could not be verified, so nothing was changed. Try again; if it stays, tell an administrator.")}
	}
	var call msalerrors.CallErr
	if !errors.As(err, &call) || call.Resp == nil {
		return &refusal{why: "Entra: no answer", err: pim.Errorf(pim.Unavailable,
			"Microsoft's sign-in service cannot be reached at the moment. Wait a minute and try again.")}
	}
	return readOAuthError(call.Resp).refusal()
}

// readOAuthError reads what MSAL left of an answer: it keeps the body in memory.
func readOAuthError(resp *http.Response) oauthError {
	said := oauthError{status: resp.StatusCode}
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
		said.wait = time.Duration(seconds) * time.Second
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil || json.Unmarshal(body, &said) != nil {
		return oauthError{status: said.status, wait: said.wait}
	}
	return said
}

func (e oauthError) refusal() error {
	if sentence, ok := entraSentences[e.code()]; ok {
		return &refusal{why: e.why(), over: e.needsPerson(), err: &pim.Error{Kind: sentence.kind, Message: sentence.text, Claims: e.Claims}}
	}
	said := pim.Errorf(pim.Administered,
		"Microsoft Entra refused Elevate itself, not you. Tell an administrator that its sign-in needs attention.")
	switch {
	case e.status == http.StatusTooManyRequests:
		said = pim.Errorf(pim.Throttled, "Microsoft's sign-in service asks to wait. Try again in a minute.")
		said.RetryAfter = e.wait
	case e.status >= http.StatusInternalServerError || e.Kind == "temporarily_unavailable" || e.Kind == "server_error":
		said = pim.Errorf(pim.Unavailable, "Microsoft's sign-in service does not work at the moment. Wait a minute and try again.")
	case e.Kind == "access_denied":
		said = pim.Errorf(pim.Forbidden, "Microsoft Entra did not let you sign in to Elevate. Ask an administrator whether you may use it.")
	case e.needsPerson():
		said = pim.Errorf(pim.SignIn, signInAgain)
		said.Claims = e.Claims
	}
	return &refusal{why: e.why(), over: e.needsPerson(), err: said}
}

// needsPerson says that only the person in a browser can help.
func (e oauthError) needsPerson() bool {
	switch e.Kind {
	case "invalid_grant", "interaction_required", "login_required", "consent_required":
		return true
	}
	return false
}

const signInAgain = "Your sign-in has ended. Sign in again to go on."

type sentence struct {
	kind pim.Kind
	text string
}

var (
	noConsent = sentence{pim.Administered, "An administrator has not approved Elevate's permissions in Microsoft Entra yet. " +
		"Ask an administrator to grant admin consent to the application, then sign in again."}
	notAssigned = sentence{pim.Forbidden, "Your account is not assigned to Elevate in Microsoft Entra. " +
		"Ask an administrator to assign it, or sign in with the account that is."}
	disabled    = sentence{pim.Forbidden, "This account is disabled or locked in Microsoft Entra. Ask an administrator."}
	foreign     = sentence{pim.Forbidden, "This account belongs to another organisation. Sign in with your account of this one."}
	conditional = sentence{pim.Forbidden, "A Conditional Access policy of your organisation does not allow this sign-in, " +
		"from this device or place. Ask an administrator what it wants."}
	canceled = sentence{pim.Conflict, "The sign-in was canceled."}
	codeGone = sentence{pim.Conflict, "The sign-in took too long, or its answer came twice."}
	again    = sentence{pim.SignIn, signInAgain}
	badApp   = sentence{pim.Administered, "Elevate's own credential at Microsoft Entra is wrong or has expired. Tell an administrator."}
)

// entraSentences says what a person can do about Entra's numbers.
var entraSentences = map[int]sentence{
	65001: noConsent, 90094: noConsent, 90095: noConsent, 65004: canceled, 50199: canceled, 50105: notAssigned,
	50057: disabled, 50053: disabled, 50020: foreign, 90072: foreign, 50034: foreign, 51004: foreign,
	53000: conditional, 53001: conditional, 53002: conditional, 53003: conditional, 530003: conditional, 50097: conditional,
	54005: codeGone, 70008: codeGone, 50173: again, 50076: again, 50078: again, 50079: again, 50158: again, 700082: again,
	700084: again, 70043: again, 50133: again, 50132: again, 16000: again, 50058: again,
	7000215: badApp, 7000222: badApp, 700016: badApp, 700027: badApp, 50011: badApp, 650053: badApp,
}

var aadsts = regexp.MustCompile(`AADSTS(\d{4,9})`)

// callbackFault reads an error that came to a callback. Only its number and its kind are looked at.
func callbackFault(from *issuer, kind, description string) error {
	said := oauthError{Kind: kind, status: http.StatusBadRequest}
	if m := aadsts.FindStringSubmatch(description); m != nil {
		if number, err := strconv.Atoi(m[1]); err == nil {
			said.Codes = []int{number}
		}
	}
	if said.code() == 0 && kind == "access_denied" {
		return &refusal{why: from.name + ": " + known(kind), err: pim.Errorf(canceled.kind, "%s", canceled.text)}
	}
	if from.name == nameSlack {
		return &refusal{why: "Slack: " + known(kind), err: pim.Errorf(pim.Unavailable,
			"Slack did not let the sign-in through, so nothing was linked. Ask for a new sign-in link; if it stays, tell an administrator.")}
	}
	return said.refusal()
}
