using System.Buffers.Binary;
using System.Diagnostics;

namespace DicomServerless.Fuzz.Http;

/// <summary>Objects with bits, lengths and bytes changed at random, from a seed: no answer may be a server error, late, or remembered.</summary>
public sealed class MutationTests(ITestOutputHelper output)
{
    private const int Mutations = 10_000, PartsPerRequest = 100, Seed = 20261121, LargestSample = 4096;

    /// <summary>What may stay in use after all mutations: what the runtime's pools settle at, and less than half of the bytes that were sent. MiB.</summary>
    private const int MaxGrowthMiB = 12;

    [Fact]
    public async Task Ten_thousand_mutations_of_small_samples_never_break_the_server()
    {
        var files = Fuzzing.SmallSamples(LargestSample).Select(File.ReadAllBytes).ToList();
        Assert.True(files.Count >= 5);
        var random = new Random(Seed);
        await using var fuzzing = await Fuzzing.StartAsync();
        await StoreAsync(10); // everything that is made once
        var before = await fuzzing.HeapAfterFreshArchiveAsync();
        var watch = Stopwatch.StartNew();
        await StoreAsync(Mutations / PartsPerRequest);
        watch.Stop();
        await fuzzing.AssertAliveAsync();
        var after = await fuzzing.HeapAfterFreshArchiveAsync();
        output.WriteLine($"{files.Count} samples, seed {Seed}, {watch.Elapsed.TotalSeconds:F1} s; {fuzzing.Tally()}");
        Assert.True(fuzzing.Bytes > 2L * MaxGrowthMiB * 1024 * 1024, "Too little was sent for a leak to show.");
        output.WriteLine($"{fuzzing.Bytes / 1048576.0:F1} MiB sent; heap {before / 1048576.0:F2} MiB before, {after / 1048576.0:F2} MiB after; at most "
            + $"{MaxGrowthMiB} MiB more is allowed");
        Assert.InRange(after - before, long.MinValue, MaxGrowthMiB * 1024L * 1024);
        Assert.True(fuzzing.Stored > 0 && fuzzing.Refused > 0);

        async Task StoreAsync(int requests)
        {
            for (var request = 0; request < requests; request++)
            {
                var number = request;
                var parts = Enumerable.Range(0, PartsPerRequest).Select(_ => Mutate(files[random.Next(files.Count)], random)).ToList();
                await fuzzing.StoreAsync(parts, () => $"request {number} of seed {Seed}");
            }
        }
    }

    private static byte[] Mutate(byte[] file, Random random)
    {
        var bytes = file.ToList();
        // Beyond the preamble, where everything means something.
        for (var change = random.Next(1, 4); change > 0; change--)
        {
            if (bytes.Count < 136) return [.. bytes];
            var at = random.Next(128, bytes.Count);
            switch (random.Next(4))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    EditLength(bytes, at, random);
                    break;
                case 2:
                    var more = new byte[random.Next(1, 17)];
                    random.NextBytes(more);
                    bytes.InsertRange(at, more);
                    break;
                default:
                    bytes.RemoveRange(at, Math.Min(bytes.Count - at, random.Next(1, 17)));
                    break;
            }
        }
        return [.. bytes];
    }

    // The length of the next element with an explicit VR, short or long.
    private static void EditLength(List<byte> bytes, int from, Random random)
    {
        uint[] lengths = [0, 1, 2, 0x7FFF, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFE, 0xFFFFFFFF, (uint)random.Next(0, 4096)];
        for (var i = from; i < bytes.Count - 12; i++)
        {
            if (!char.IsAsciiLetterUpper((char)bytes[i]) || !char.IsAsciiLetterUpper((char)bytes[i + 1])) continue;
            var length = new byte[4];
            BinaryPrimitives.WriteUInt32LittleEndian(length, lengths[random.Next(lengths.Length)]);
            var isLong = bytes[i + 2] == 0 && bytes[i + 3] == 0;
            for (var b = 0; b < (isLong ? 4 : 2); b++) bytes[i + (isLong ? 4 : 2) + b] = length[b];
            return;
        }
    }
}
