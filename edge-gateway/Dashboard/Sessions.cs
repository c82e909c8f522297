using System.Collections.Concurrent;
using System.Security.Cryptography;
using DicomServerless.EdgeGateway.Hosting;

namespace DicomServerless.EdgeGateway.Dashboard;

/// <summary>The sessions of users who are logged in. Kept in memory: a restart logs everyone out, as does another password.</summary>
internal sealed class Sessions(TimeProvider time)
{
    /// <summary>The cookie's name.</summary>
    public const string Cookie = "dicom-gateway-session";

    private const int TokenBytes = 32, Most = 1_000;
    private readonly ConcurrentDictionary<string, (string User, string Origin, DateTimeOffset Until)> sessions = new(StringComparer.Ordinal);

    /// <summary>Logs a user in: sets the cookie.</summary>
    public void Begin(HttpContext http, string user, HttpOptions options)
    {
        var now = time.GetUtcNow();
        foreach (var (old, session) in sessions)
            if (session.Until < now || sessions.Count >= Most) sessions.TryRemove(old, out _);
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(TokenBytes));
        var life = TimeSpan.FromHours(options.SessionHours);
        sessions[Key(token)] = (user, Origin(options), now + life);
        http.Response.Cookies.Append(Cookie, token,
            new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Strict, Secure = http.Request.IsHttps, Path = "/", MaxAge = life });
    }

    /// <summary>The user whose session a request's cookie names; null if it names none.</summary>
    public string? UserOf(HttpContext http, HttpOptions options)
    {
        if (http.Request.Cookies[Cookie] is not { Length: TokenBytes * 2 } token || !sessions.TryGetValue(Key(token), out var session)) return null;
        return session.Until > time.GetUtcNow() && session.Origin == Origin(options) ? session.User : null;
    }

    /// <summary>Logs out.</summary>
    public void End(HttpContext http)
    {
        if (http.Request.Cookies[Cookie] is { } token) sessions.TryRemove(Key(token), out _);
        http.Response.Cookies.Delete(Cookie, new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Strict, Secure = http.Request.IsHttps, Path = "/" });
    }

    // Only a hash is kept, so that a copy of the memory holds no usable token.
    private static string Key(string token) => Convert.ToHexString(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(token)));

    // The settings that a login was checked against; when they change, its sessions end.
    private static string Origin(HttpOptions options) =>
        string.Join('\n', options.User, options.PasswordHash, options.Oidc.Authority, options.Oidc.ClientId, options.Oidc.RoleClaim, options.Oidc.RequiredRole);
}
