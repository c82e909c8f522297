using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using DicomServerless.EdgeGateway.Audit;
using DicomServerless.EdgeGateway.Hosting;

namespace DicomServerless.EdgeGateway.Dashboard;

/// <summary>
/// Logins at an OpenID provider: authorization code flow (OpenID Connect Core 3.1) with PKCE (RFC 7636). The ID token comes straight from the provider over
/// TLS, which vouches for it instead of its signature (3.1.3.7 number 6); issuer, audience, times, nonce and role are checked.
/// </summary>
internal sealed class OidcLogin(GatewayConfiguration configuration, Sessions sessions, AuditTrail audit, TimeProvider time) : IDisposable
{
    private const string StateCookie = "dicom-gateway-login", CallbackPath = "/login/oidc/callback";
    private const int MostLogins = 1_000, MaxAnswer = 1 << 20;
    private static readonly TimeSpan LoginTime = TimeSpan.FromMinutes(10), ClockSkew = TimeSpan.FromMinutes(2);

    private readonly HttpClient client = new(new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
    {
        Timeout = TimeSpan.FromSeconds(15), MaxResponseContentBufferSize = MaxAnswer,
    };
    private readonly ConcurrentDictionary<string, Pending> pending = new(StringComparer.Ordinal);

    private sealed record Pending(string Nonce, string Verifier, string Redirect, DateTimeOffset Until);

    private sealed record Endpoints(string Issuer, string Authorization, string Token);

    /// <summary><c>GET /login/oidc</c>: sends the browser to the provider.</summary>
    public async Task<IResult> BeginAsync(HttpContext http)
    {
        var options = configuration.Current.Http;
        if (options.Oidc.Authority.Length == 0) return Answers.NotFound("There is no login of this kind.");
        if (await DiscoverAsync(options.Oidc, http.RequestAborted) is not { } endpoints)
            return Pages.Login(options, "The OpenID provider does not answer.", 502);
        var now = time.GetUtcNow();
        foreach (var (old, login) in pending)
            if (login.Until < now || pending.Count >= MostLogins) pending.TryRemove(old, out _);
        var state = Random();
        var begun = new Pending(Random(), Random(),
            (options.Oidc.PublicUrl.Length > 0 ? options.Oidc.PublicUrl.TrimEnd('/') : $"{http.Request.Scheme}://{http.Request.Host}") + CallbackPath,
            now + LoginTime);
        pending[state] = begun;
        // Lax: the way back begins at the provider.
        http.Response.Cookies.Append(StateCookie, state,
            new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Lax, Secure = http.Request.IsHttps, Path = CallbackPath, MaxAge = LoginTime });
        var challenge = Base64Url(SHA256.HashData(Encoding.ASCII.GetBytes(begun.Verifier)));
        return Results.Redirect(endpoints.Authorization + (endpoints.Authorization.Contains('?', StringComparison.Ordinal) ? "&" : "?") + Form(
            ("response_type", "code"), ("client_id", options.Oidc.ClientId), ("redirect_uri", begun.Redirect), ("scope", options.Oidc.Scope), ("state", state),
            ("nonce", begun.Nonce),
            ("code_challenge", challenge), ("code_challenge_method", "S256")));
    }

    /// <summary><c>GET /login/oidc/callback</c>: the browser comes back with a code.</summary>
    public async Task<IResult> EndAsync(HttpContext http)
    {
        var (options, query) = (configuration.Current.Http, http.Request.Query);
        var state = query["state"].ToString();
        http.Response.Cookies.Delete(StateCookie, new CookieOptions { Path = CallbackPath });
        // The cookie ties the way back to the browser that went.
        if (http.Request.Cookies[StateCookie] != state || !pending.TryRemove(state, out var begun) || begun.Until < time.GetUtcNow())
            return Pages.Login(options, "The login took too long, or was begun elsewhere. Try again.", 400);
        if (query["code"].ToString() is not { Length: > 0 } code) return Pages.Login(options, "The OpenID provider refused the login.", 403);
        var (user, problem) = await RedeemAsync(options.Oidc, begun, code, http.RequestAborted);
        audit.LoggedIn(user ?? "?", http.Connection.RemoteIpAddress, problem is null);
        if (problem is not null) return Pages.Login(options, problem, 403);
        sessions.Begin(http, user!, options);
        // A redirect from another site would not carry the new cookie, which is SameSite=Strict; a page of the gateway that redirects does.
        return Results.Text("<!doctype html><html lang=\"en\"><meta http-equiv=\"refresh\" content=\"0;url=/\"><title>DICOM gateway</title><p><a "
            + "href=\"/\">Go on</a></p></html>", "text/html", Encoding.UTF8);
    }

    /// <inheritdoc />
    public void Dispose() => client.Dispose();

    private async Task<(string? User, string? Problem)> RedeemAsync(OidcOptions oidc, Pending begun, string code, CancellationToken cancellationToken)
    {
        if (await DiscoverAsync(oidc, cancellationToken) is not { } endpoints) return (null, "The OpenID provider does not answer.");
        var form = new List<KeyValuePair<string, string>>
        {
            new("grant_type", "authorization_code"), new("code", code), new("redirect_uri", begun.Redirect), new("code_verifier", begun.Verifier),
            new("client_id", oidc.ClientId),
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, endpoints.Token);
        // RFC 6749 2.3.1: both parts form-encoded.
        if (oidc.ClientSecret.Length > 0)
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic",
                Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.EscapeDataString(oidc.ClientId) + ":" + Uri.EscapeDataString(oidc.ClientSecret))));
        request.Content = new FormUrlEncodedContent(form);
        using var answer = await AskAsync(request, cancellationToken);
        if (answer is null || !answer.RootElement.TryGetProperty("id_token", out var token) || token.GetString()?.Split('.') is not [_, var payload, _])
            return (null, "The OpenID provider gave no ID token.");
        try
        {
            using var claims = JsonDocument.Parse(FromBase64Url(payload));
            return Check(claims.RootElement, oidc, endpoints, begun);
        }
        catch (Exception exception) when (exception is JsonException or FormatException)
        {
            return (null, "The OpenID provider's ID token cannot be read.");
        }
    }

    private (string? User, string? Problem) Check(JsonElement claims, OidcOptions oidc, Endpoints endpoints, Pending begun)
    {
        var now = time.GetUtcNow();
        if (Text(claims, "iss") != endpoints.Issuer) return (null, "The ID token is of another issuer.");
        if (!Values(claims, "aud").Contains(oidc.ClientId) || (Text(claims, "azp") is { } party && party != oidc.ClientId))
            return (null, "The ID token is for another client.");
        if (!claims.TryGetProperty("exp", out var expires) || !expires.TryGetInt64(out var seconds)
            || DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(seconds, 0, 253_402_300_799)) + ClockSkew < now) return (null, "The ID token has expired.");
        if (Text(claims, "nonce") != begun.Nonce) return (null, "The ID token is of another login.");
        var user = Text(claims, "preferred_username") ?? Text(claims, "email") ?? Text(claims, "sub");
        if (user is null) return (null, "The ID token names no user.");
        return Values(claims, oidc.RoleClaim).Contains(oidc.RequiredRole) ? (user, null) : (user, $"{user} may not use this gateway.");
    }

    // Fetched at each login: logins are rare, and a kept copy could be out of date.
    private async Task<Endpoints?> DiscoverAsync(OidcOptions oidc, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, oidc.Authority.TrimEnd('/') + "/.well-known/openid-configuration");
        using var answer = await AskAsync(request, cancellationToken);
        if (answer is null || Text(answer.RootElement, "issuer") is not { } issuer
            || Text(answer.RootElement, "authorization_endpoint") is not { } authorization
            || Text(answer.RootElement, "token_endpoint") is not { } token) return null;
        // OpenID Connect Discovery 4.3; and TLS has to vouch for the token.
        if (issuer.TrimEnd('/') != oidc.Authority.TrimEnd('/') || !IsSafe(token) || !IsSafe(authorization)) return null;
        return new Endpoints(issuer, authorization, token);
    }

    private async Task<JsonDocument?> AskAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await client.SendAsync(request, cancellationToken);
            if (!response.IsSuccessStatusCode) return null;
            var document = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken));
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
            document.Dispose();
            return null;
        }
        catch (Exception exception)
            when (exception is HttpRequestException or JsonException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    private static bool IsSafe(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri) && (uri.Scheme == "https" || (uri.Scheme == "http" && uri.IsLoopback));

    private static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    // A text, or a list of texts.
    private static string[] Values(JsonElement json, string name) => !json.TryGetProperty(name, out var value) ? []
        : value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String).Select(item => item.GetString()!)]
        : value.ValueKind == JsonValueKind.String ? [value.GetString()!] : [];

    private static string Form(params (string Key, string Value)[] fields) =>
        string.Join('&', fields.Select(field => string.Create(CultureInfo.InvariantCulture, $"{field.Key}={Uri.EscapeDataString(field.Value)}")));

    private static string Random() => Base64Url(RandomNumberGenerator.GetBytes(32));

    private static string Base64Url(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);

    private static byte[] FromBase64Url(string text) => System.Buffers.Text.Base64Url.DecodeFromChars(text);
}
