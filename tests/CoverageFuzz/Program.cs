using System.Globalization;
using SharpFuzz;

namespace DicomServerless.CoverageFuzz;

/// <summary>
/// Coverage-guided fuzzing: <c>CoverageFuzz TARGET</c> is run by afl-fuzz (fuzz.sh), <c>CoverageFuzz replay TARGET FILE…</c> runs inputs once and says which
/// one breaks it,
/// <c>CoverageFuzz targets</c> lists the targets.
/// </summary>
internal static class Program
{
    private const int MaxInputBytes = 64 * 1024;

    public static int Main(string[] args)
    {
        switch (args)
        {
            case ["targets"]:
                foreach (var name in Targets.All.Keys.Order(StringComparer.Ordinal)) Console.WriteLine(name);
                return 0;
            case ["replay", var name, .. var files] when Targets.All.TryGetValue(name, out var target):
                foreach (var file in files)
                {
                    try
                    {
                        target(File.ReadAllBytes(file));
                    }
                    catch (Exception exception)
                    {
                        Console.Error.WriteLine($"{file}: {exception}");
                        return 1;
                    }
                }
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: {files.Length} inputs replayed"));
                return 0;
            case [var name] when name.Length > 0:
                // Nothing instrumented may run before the fuzzer's shared memory is there, so the target is looked up inside.
                Fuzzer.Run(stream =>
                {
                    var input = new MemoryStream();
                    stream.CopyTo(input);
                    if (input.Length <= MaxInputBytes) Targets.All[name](input.ToArray());
                });
                return 0;
            default:
                Console.Error.WriteLine("Give one of: targets, replay TARGET FILE…, or a target: " + string.Join(", ",
                    Targets.All.Keys.Order(StringComparer.Ordinal)));
                return 2;
        }
    }
}
