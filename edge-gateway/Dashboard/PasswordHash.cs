using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace DicomServerless.EdgeGateway.Dashboard;

/// <summary>
/// A password as the configuration keeps it: <c>pbkdf2-sha256:iterations:salt:hash</c>, no character of which a shell, an environment file or YAML takes for
/// its own.
/// </summary>
internal static class PasswordHash
{
    private const string Kind = "pbkdf2-sha256";
    private const int Iterations = 600_000, MinIterations = 100_000, MaxIterations = 10_000_000, SaltBytes = 16, HashBytes = 32;

    /// <summary>Hashes a password.</summary>
    public static string Create(string password)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        var hash = Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), salt, Iterations, HashAlgorithmName.SHA256, HashBytes);
        return string.Create(CultureInfo.InvariantCulture, $"{Kind}:{Iterations}:{Convert.ToBase64String(salt)}:{Convert.ToBase64String(hash)}");
    }

    /// <summary>Whether a text is such a hash.</summary>
    public static bool IsValid(string text) => TryParse(text, out _, out _, out _);

    /// <summary>Whether a password is the one; takes a tenth of a second and more.</summary>
    public static bool Verify(string text, string password) =>
        TryParse(text, out var iterations, out var salt, out var hash)
        && CryptographicOperations.FixedTimeEquals(hash,
            Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), salt, iterations, HashAlgorithmName.SHA256, hash.Length));

    private static bool TryParse(string text, out int iterations, out byte[] salt, out byte[] hash)
    {
        (iterations, salt, hash) = (0, [], []);
        if (text.Split(':') is not [Kind, var count, var saltText, var hashText]) return false;
        if (!int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out iterations) || iterations is < MinIterations or > MaxIterations)
            return false;
        (salt, hash) = (new byte[SaltBytes], new byte[HashBytes]);
        return Convert.TryFromBase64String(saltText, salt, out var saltLength) && saltLength == SaltBytes
            && Convert.TryFromBase64String(hashText, hash, out var hashLength) && hashLength == HashBytes;
    }
}
