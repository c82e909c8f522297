using DicomServerless.EdgeGateway.Audit;
using DicomServerless.EdgeGateway.Hosting;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace DicomServerless.EdgeGateway.Dashboard;

/// <summary>
/// Logins at an OpenID provider by the platform's handler: authorization code flow (OpenID Connect Core 3.1) with PKCE (RFC 7636). Ours is what it does not
/// know: options that change while it runs, the role that a user needs, the audit trail, and pages that say what went wrong.
/// </summary>
internal sealed class OidcLogin(GatewayConfiguration configuration, IAuthenticationSchemeProvider schemes, IOptionsMonitorCache<OpenIdConnectOptions> cache,
    Sessions sessions, AuditTrail audit) : IConfigureNamedOptions<OpenIdConnectOptions>
{
    /// <summary>The authentication scheme. It is there while the options name a provider.</summary>
    public const string Scheme = "oidc";

    /// <summary>Where a login ends that went well.</summary>
    public const string DonePath = "/login/done";

    /// <summary>Where the provider sends the browser back to.</summary>
    public const string CallbackPath = "/login/oidc/callback";

    private const string NoAnswer = "The OpenID provider does not answer.";
    private static readonly TimeSpan LoginTime = TimeSpan.FromMinutes(10), ClockSkew = TimeSpan.FromMinutes(2), AnswerTime = TimeSpan.FromSeconds(15);

    private volatile OidcOptions current = configuration.Current.Http.Oidc;

    /// <summary>Brings the options in use, and later ones as they change, to the platform's handler.</summary>
    public void Follow()
    {
        Apply(configuration.Current);
        configuration.Users.Add(next =>
        {
            Apply(next);
            return Task.FromResult<IReadOnlyList<string>>([]);
        });
    }

    /// <summary><c>GET /login/oidc</c>: sends the browser to the provider.</summary>
    public async Task<IResult> BeginAsync(HttpContext http)
    {
        if (await schemes.GetSchemeAsync(Scheme) is null) return Answers.NotFound("There is no login of this kind.");
        try
        {
            await http.ChallengeAsync(Scheme, new AuthenticationProperties { RedirectUri = DonePath });
            return Results.Empty;
        }
        // The first is what the handler makes of a provider's description that cannot be had.
        catch (Exception exception) when (exception is InvalidOperationException or HttpRequestException or OpenIdConnectProtocolException
            || (exception is OperationCanceledException && !http.RequestAborted.IsCancellationRequested))
        {
            return Pages.Login(configuration.Current.Http, NoAnswer, StatusCodes.Status502BadGateway);
        }
    }

    /// <inheritdoc />
    public void Configure(OpenIdConnectOptions options) => Configure(Options.DefaultName, options);

    /// <inheritdoc />
    public void Configure(string? name, OpenIdConnectOptions options)
    {
        var oidc = current;
        options.SignInScheme = Sessions.Scheme;
        options.Authority = oidc.Authority;
        options.RequireHttpsMetadata = !new Uri(oidc.Authority).IsLoopback;
        (options.ClientId, options.ClientSecret) = (oidc.ClientId, oidc.ClientSecret.Length > 0 ? oidc.ClientSecret : null);
        (options.ResponseType, options.ResponseMode) = (OpenIdConnectResponseType.Code, OpenIdConnectResponseMode.Query);
        options.Scope.Clear();
        foreach (var scope in oidc.Scope.Split(' ', StringSplitOptions.RemoveEmptyEntries)) options.Scope.Add(scope);
        options.CallbackPath = CallbackPath;
        options.MapInboundClaims = false;
        (options.BackchannelTimeout, options.RemoteAuthenticationTimeout, options.ProtocolValidator.NonceLifetime) = (AnswerTime, LoginTime, LoginTime);
        options.BackchannelHttpHandler = new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) };
        options.TokenValidationParameters.ClockSkew = ClockSkew;
        foreach (var cookie in new[] { options.NonceCookie, options.CorrelationCookie })
        {
            // The way back is a link from the provider's site, and a gateway without TLS cannot have Secure cookies.
            (cookie.SameSite, cookie.SecurePolicy) = (SameSiteMode.Lax, CookieSecurePolicy.SameAsRequest);
        }
        options.Events.OnRedirectToIdentityProvider = context =>
        {
            if (oidc.PublicUrl.Length > 0) context.ProtocolMessage.RedirectUri = oidc.PublicUrl.TrimEnd('/') + CallbackPath;
            return Task.CompletedTask;
        };
        options.Events.OnTokenValidated = context =>
        {
            string? Claim(string type) => context.Principal!.FindFirst(type)?.Value;
            var user = Claim("preferred_username") ?? Claim("email") ?? Claim("sub");
            if (user is null) context.Fail(new LoginRefusedException("?", "The ID token names no user."));
            else if (!context.Principal!.HasClaim(oidc.RoleClaim, oidc.RequiredRole))
                context.Fail(new LoginRefusedException(user, $"{user} may not use this gateway."));
            else context.Principal = Sessions.PrincipalOf(user);
            return Task.CompletedTask;
        };
        options.Events.OnTicketReceived = context =>
        {
            sessions.Begin(context.Properties!);
            audit.LoggedIn(context.Principal!.Identity!.Name!, context.HttpContext.Connection.RemoteIpAddress, isSuccess: true);
            return Task.CompletedTask;
        };
        options.Events.OnRemoteFailure = async context =>
        {
            var (status, message) = ProblemOf(context.Failure!, context.Request.Query.ContainsKey("error"));
            // Who did not begin a login here is nobody's failed login.
            if (status != StatusCodes.Status400BadRequest)
                audit.LoggedIn((context.Failure as LoginRefusedException)?.User ?? "?", context.HttpContext.Connection.RemoteIpAddress, isSuccess: false);
            context.HandleResponse();
            await Pages.Login(configuration.Current.Http, message, status).ExecuteAsync(context.HttpContext);
        };
    }

    private void Apply(GatewayOptions options)
    {
        // While the scheme is there, requests make the handler's options of what is current: they never meet a provider without an address.
        var isThere = options.Http.Oidc.Authority.Length > 0;
        if (!isThere) schemes.RemoveScheme(Scheme);
        current = options.Http.Oidc;
        cache.TryRemove(Scheme);
        if (isThere) schemes.TryAddScheme(new AuthenticationScheme(Scheme, null, typeof(OpenIdConnectHandler)));
    }

    private static (int Status, string Message) ProblemOf(Exception failure, bool isRefusal) => failure switch
    {
        LoginRefusedException => (StatusCodes.Status403Forbidden, failure.Message),
        SecurityTokenInvalidIssuerException => (StatusCodes.Status403Forbidden, "The ID token is of another issuer."),
        SecurityTokenInvalidAudienceException => (StatusCodes.Status403Forbidden, "The ID token is for another client."),
        SecurityTokenExpiredException => (StatusCodes.Status403Forbidden, "The ID token has expired."),
        SecurityTokenException => (StatusCodes.Status403Forbidden, "The ID token's signature is not the provider's, or the token cannot be read."),
        OpenIdConnectProtocolInvalidNonceException => (StatusCodes.Status403Forbidden, "The ID token is of another login."),
        OpenIdConnectProtocolException => (StatusCodes.Status403Forbidden, "The OpenID provider refused the login."),
        HttpRequestException or InvalidOperationException or OperationCanceledException => (StatusCodes.Status502BadGateway, NoAnswer),
        { InnerException: { } inner } => ProblemOf(inner, isRefusal),
        _ => isRefusal ? (StatusCodes.Status403Forbidden, "The OpenID provider refused the login.")
            : (StatusCodes.Status400BadRequest, "The login took too long, or was begun elsewhere. Try again."),
    };

    /// <summary>The provider vouches for the user, and the gateway does not let them in.</summary>
    private sealed class LoginRefusedException(string user, string message) : Exception(message)
    {
        public string User => user;
    }
}
