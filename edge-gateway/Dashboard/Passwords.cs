using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using DicomServerless.EdgeGateway.Hosting;

namespace DicomServerless.EdgeGateway.Dashboard;

/// <summary>How the check of user and password ended.</summary>
internal enum PasswordOutcome
{
    /// <summary>They are right.</summary>
    Right,
    /// <summary>They are wrong.</summary>
    Wrong,
    /// <summary>This address failed too often and has to wait.</summary>
    Wait,
}

/// <summary>
/// Looks at user and password. Each address has a few free attempts; then it waits, twice as long each time. Hashing goes one at a time, so that guesses from
/// many addresses never take the processor from the images; what was right is remembered as a keyed hash, so that a program which sends it with each request is
/// served fast.
/// </summary>
internal sealed class Passwords(TimeProvider time) : IDisposable
{
    private const int FreeAttempts = 5, MaxDoublings = 8, MaxAddresses = 10_000;
    private readonly ConcurrentDictionary<string, (int Failures, DateTimeOffset Until)> failures = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim hashing = new(1);
    private readonly byte[] key = RandomNumberGenerator.GetBytes(32);
    private byte[] known = [];

    /// <summary>How long an address has to wait.</summary>
    public TimeSpan WaitOf(IPAddress? remote) =>
        failures.TryGetValue(Name(remote), out var entry) && entry.Until > time.GetUtcNow() ? entry.Until - time.GetUtcNow() : TimeSpan.Zero;

    /// <summary>Checks user and password.</summary>
    public async Task<PasswordOutcome> CheckAsync(string user, string password, IPAddress? remote, HttpOptions options, CancellationToken cancellationToken)
    {
        if (options.PasswordHash.Length == 0) return PasswordOutcome.Wrong;
        var fingerprint = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{options.PasswordHash}\n{options.User}\n{user}\n{password}"));
        if (CryptographicOperations.FixedTimeEquals(fingerprint, known)) return PasswordOutcome.Right;
        if (WaitOf(remote) > TimeSpan.Zero) return PasswordOutcome.Wait;
        await hashing.WaitAsync(cancellationToken);
        try
        {
            // Others of the address may have failed while this one queued.
            if (WaitOf(remote) > TimeSpan.Zero) return PasswordOutcome.Wait;
            var isUser = CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(user)),
                SHA256.HashData(Encoding.UTF8.GetBytes(options.User)));
            if (PasswordHash.Verify(options.PasswordHash, password) & isUser)
            {
                known = fingerprint;
                failures.TryRemove(Name(remote), out _);
                return PasswordOutcome.Right;
            }
            Failed(Name(remote));
            return PasswordOutcome.Wrong;
        }
        finally
        {
            hashing.Release();
        }
    }

    /// <inheritdoc />
    public void Dispose() => hashing.Dispose();

    private void Failed(string name)
    {
        var now = time.GetUtcNow();
        if (failures.Count >= MaxAddresses)
            foreach (var (old, entry) in failures)
                if (entry.Until < now) failures.TryRemove(old, out _);
        if (failures.Count >= MaxAddresses) failures.Clear();
        failures.AddOrUpdate(name, (1, now), (_, entry) =>
        {
            var count = entry.Failures + 1;
            return (count, count < FreeAttempts ? now : now + TimeSpan.FromSeconds(1 << Math.Min(count - FreeAttempts, MaxDoublings)));
        });
    }

    // IPv6 clients have networks of /64 to choose from.
    private static string Name(IPAddress? remote)
    {
        if (remote is null) return "";
        if (remote.IsIPv4MappedToIPv6) remote = remote.MapToIPv4();
        return remote.AddressFamily == AddressFamily.InterNetworkV6 ? Convert.ToHexString(remote.GetAddressBytes().AsSpan(0, 8)) : remote.ToString();
    }
}
